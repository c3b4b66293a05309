/** Phrases that stand for one thing, in the order of `languages`. */
export type Phrases = readonly string[];

/** Where the lists' order comes from; a Generator is one. */
export interface Random {
  below(limit: number): number;
  shuffle<T>(items: T[]): void;
}

/** Lists of phrases, and the number of each one's language. */
export interface Lists {
  readonly texts: string[];
  readonly labels: Int32Array;
}

export const languages: readonly string[];
export function parallelPhrases(): Phrases[];
export function languageLists(options: {
  readonly random: Random;
  readonly trainPerLanguage?: number;
  readonly testPerLanguage?: number;
}): { readonly train: Lists; readonly test: Lists; readonly concepts: number };
