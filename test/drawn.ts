/** Pictures taken apart. */
import { DOMParser, onWarningStopParsing } from "@xmldom/xmldom";
import type { Element } from "@xmldom/xmldom";
import type { Picture } from "../src/plot/picture.js";

/** A picture's parts. */
export interface Drawn {
  /** All texts, in the order of the document. */
  readonly texts: readonly string[];
  /** The marks of data that are described, `line`, `point`, `rect`, by their descriptions. */
  marks(kind: string): ReadonlyMap<string, Element>;
  /** All elements of this name. */
  elements(name: string): Element[];
}

/** The parts of `picture`; throws for one that is no well-formed XML. */
export function drawn({ svg }: Pick<Picture, "svg">): Drawn {
  const parser = new DOMParser({ onError: onWarningStopParsing });
  const document = parser.parseFromString(svg, "image/svg+xml");
  const elements = (name: string): Element[] => [...document.getElementsByTagName(name)];
  return {
    texts: elements("text").map(({ textContent }) => textContent ?? ""),
    elements,
    marks: (kind) =>
      new Map(
        elements("path")
          .filter((path) => path.getAttribute("aria-roledescription") === kind)
          .map((path) => [path.getAttribute("aria-label") ?? "", path]),
      ),
  };
}

/** Where a mark stands in its diagram. */
export function placeOf(mark: Element): [x: number, y: number] {
  const [, x, y] = /^translate\(([^,]+),([^)]+)\)/.exec(mark.getAttribute("transform") ?? "") ?? [];
  return [Number(x), Number(y)];
}
