/** Parameters with a learning rate or a decay of their own. */
import { checkNumber, checkOptions, isObject, shown } from "../checks.js";
import { ArgumentError } from "../errors.js";
import type { Parameter } from "../nn/parameter.js";
import { Variable } from "../tensor.js";

/** What is particular to some parameters; where a number is left out, the optimizer's holds. */
export interface GroupOptions {
  readonly learningRate?: number;
  readonly weightDecay?: number;
}

/** Parameters that are changed in a way of their own. */
export interface ParameterGroup extends GroupOptions {
  readonly parameters: Iterable<Parameter>;
}

/** Which of a model's parameters are meant. */
export interface ParameterSelection {
  /** Paths as `namedParameters` has them; `*` stands for any text: `0.*`, `*.bias`. Default: all. */
  readonly names?: readonly string[];
  /** The fewest axes; 2 leaves out biases and what normalizations learn. */
  readonly minRank?: number;
  /** The most axes; 1 means biases and what normalizations learn. */
  readonly maxRank?: number;
}

/** A group of the parameters that are selected. */
export interface GroupSelection extends GroupOptions, ParameterSelection {}

const groupOptions = {
  names: true,
  minRank: true,
  maxRank: true,
  learningRate: true,
  weightDecay: true,
} as const satisfies Record<keyof GroupSelection, true>;

/** A group as an optimizer keeps it. */
export interface Group {
  readonly parameters: readonly Parameter[];
  /** Undefined where it is the optimizer's. */
  readonly learningRate: number | undefined;
  readonly weightDecay: number;
}

/** The groups of an optimizer. Throws ArgumentError for none, empty ones, and a parameter in two. */
export function groupsOf(
  given: Iterable<Parameter> | Iterable<ParameterGroup>,
  defaults: Required<GroupOptions>,
): Group[] {
  const isList: boolean = isObject(given) ? Symbol.iterator in given : Array.isArray(given);
  if (!isList) throw new ArgumentError(`optimizer: ${shown(given)} is no list of parameters`);
  const list = [...given];
  const single = list.filter((item) => item instanceof Variable);
  const named = list.filter((item): item is ParameterGroup => !(item instanceof Variable));
  if (single.length > 0 && named.length > 0) {
    throw new ArgumentError("optimizer: parameters and groups of parameters are mixed");
  }
  const groups = single.length > 0 ? [{ parameters: single }] : named;
  const seen = new Set<Parameter>();
  const made = groups.map((group, index) => makeGroup(group, index, defaults));
  for (const { parameters } of made) {
    for (const parameter of parameters) {
      if (seen.has(parameter)) {
        throw new ArgumentError(`optimizer: parameter ${parameter.name} is in two groups`);
      }
      seen.add(parameter);
    }
  }
  if (seen.size === 0) throw new ArgumentError("optimizer: no parameters");
  return made;
}

function makeGroup(group: ParameterGroup, index: number, defaults: Required<GroupOptions>): Group {
  const { parameters, learningRate, weightDecay = defaults.weightDecay } = group;
  if (learningRate !== undefined) {
    checkNumber(`optimizer: learningRate of group ${index}`, learningRate, 0, Infinity);
    if (defaults.learningRate === 0) {
      throw new ArgumentError(
        `optimizer: group ${index} has a learning rate, but the optimizer's own, which it is ` +
          "kept in proportion to, is 0",
      );
    }
  }
  checkNumber(`optimizer: weightDecay of group ${index}`, weightDecay, 0, Infinity);
  return { parameters: [...new Set(parameters)], learningRate, weightDecay };
}

/**
 * The parameters in groups: each in the first that selects it, the others in one without settings.
 * Throws ArgumentError for a selection that leaves its group empty.
 */
export function selectGroups(
  named: ReadonlyMap<string, Parameter>,
  selections: readonly GroupSelection[],
): ParameterGroup[] {
  const isList: boolean = Array.isArray(selections);
  if (!isList) throw new ArgumentError(`optimizer: groups is ${shown(selections)}, not a list`);
  const left = new Map(named);
  const groups = selections.map((selection, index): ParameterGroup => {
    const what = `optimizer: groups[${index}]`;
    checkOptions(what, selection, groupOptions);
    const chosen = select(left, selection, what);
    for (const path of chosen.keys()) left.delete(path);
    const { learningRate, weightDecay } = selection;
    return { parameters: chosen.values(), learningRate, weightDecay };
  });
  return left.size > 0 ? [...groups, { parameters: left.values() }] : groups;
}

/** The parameters selected. Throws ArgumentError, naming `what`, where there are none. */
export function select(
  named: ReadonlyMap<string, Parameter>,
  { names = ["*"], minRank = 0, maxRank = Infinity }: ParameterSelection,
  what: string,
): Map<string, Parameter> {
  const chosen = new Map(
    [...named].filter(
      ([path, { rank }]) =>
        rank >= minRank && rank <= maxRank && names.some((pattern) => matches(pattern, path)),
    ),
  );
  if (chosen.size > 0) return chosen;
  throw new ArgumentError(`${what} selects no parameter of ${[...named.keys()].join(", ")}`);
}

/** Whether `text` is `pattern`, in which `*` stands for any text. */
function matches(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return text === pattern;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  // The leftmost place for each part leaves the most room for those after it.
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - at >= last.length && text.endsWith(last);
}
