/** Metrics by name, as `compile` and saved models know them. */
import { checkKnown, isObject, shown } from "../checks.js";
import { ArgumentError } from "../errors.js";
import {
  balancedAccuracy,
  cohensKappa,
  f1,
  fBeta,
  matthewsCorrelation,
  precision,
  recall,
} from "./classification.js";
import { ConfusionMatrix } from "./confusionMatrix.js";
import { prAuc, rocAuc } from "./curves.js";
import {
  accuracy,
  binaryAccuracy,
  categoricalAccuracy,
  logLoss,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  perplexity,
  rootMeanSquaredError,
  sparseCategoricalAccuracy,
  topKAccuracy,
} from "./means.js";
import type { Metric, MetricConfig } from "./metric.js";
import { r2 } from "./r2.js";
import type { TracedMetric } from "./traced.js";
import { tracedMetrics } from "./traced.js";

/** Each metric from its options, as `toJSON` gave them. */
const makers = {
  accuracy,
  binaryAccuracy,
  categoricalAccuracy,
  sparseCategoricalAccuracy,
  topKAccuracy,
  precision,
  recall,
  f1,
  fBeta,
  balancedAccuracy,
  cohensKappa,
  matthewsCorrelation,
  rocAuc,
  prAuc,
  logLoss,
  perplexity,
  meanSquaredError,
  meanAbsoluteError,
  rootMeanSquaredError,
  meanAbsolutePercentageError,
  r2,
  confusionMatrix: (options: object): Metric => new ConfusionMatrix(options),
} satisfies Record<string, (options: never) => Metric>;

/** Short names, as people write them. */
const aliases = {
  mse: "meanSquaredError",
  mae: "meanAbsoluteError",
  rmse: "rootMeanSquaredError",
} as const satisfies Record<string, keyof typeof tracedMetrics>;

/** The metrics `compile` knows by name. */
export type MetricName = keyof typeof makers | keyof typeof aliases;

/** Their names. */
export const metricNames = [
  ...Object.keys(makers),
  ...Object.keys(aliases),
] as readonly MetricName[];

/** A metric for `compile`: a name, an object, or what an object's `toJSON` gave. */
export type MetricSpec = MetricName | Metric | MetricConfig;

/** The metrics of a training. */
export interface MetricSet {
  /** Those that the step computes, by the name in reports. */
  readonly traced: ReadonlyMap<string, TracedMetric>;
  /** Those that see the model's outputs. */
  readonly streamed: readonly Metric[];
}

/**
 * What `specs` name. Throws ArgumentError, listing the names, for one that is not known, and for
 * two that reports would call the same.
 */
export function metricSet(specs: readonly MetricSpec[]): MetricSet {
  const traced = new Map<string, TracedMetric>();
  const streamed: Metric[] = [];
  const names = new Set<string>();
  const isList: boolean = Array.isArray(specs);
  if (!isList) throw new ArgumentError(`compile: metrics is ${shown(specs)}, not a list`);
  for (const [index, spec] of specs.entries()) {
    checkSpec(`compile: metrics[${index}]`, spec);
    const name = typeof spec === "string" ? spec : "metric" in spec ? spec.metric : spec.name;
    if (names.has(name)) throw new ArgumentError(`compile: metric "${name}" is there twice`);
    names.add(name);
    const inStep = typeof spec === "string" ? tracedMetric(fullName(spec)) : undefined;
    if (inStep) traced.set(name, inStep);
    else streamed.push(typeof spec === "string" ? makeMetric(fullName(spec), {}) : made(spec));
  }
  return { traced, streamed };
}

function checkSpec(what: string, spec: MetricSpec): void {
  if (typeof spec === "string") return;
  if (isObject(spec)) {
    if ("metric" in spec && isObject(spec.options)) return;
    if ("update" in spec && typeof spec.update === "function") return;
  }
  throw new ArgumentError(`${what} is ${shown(spec)}; a name or an object of metrics is expected`);
}

function made(spec: Metric | MetricConfig): Metric {
  return "metric" in spec ? makeMetric(spec.metric, spec.options) : spec;
}

function fullName(name: string): string {
  return Object.hasOwn(aliases, name) ? aliases[name as keyof typeof aliases] : name;
}

function tracedMetric(name: string): TracedMetric | undefined {
  return Object.entries(tracedMetrics).find(([known]) => known === name)?.[1];
}

function makeMetric(name: string, options: object): Metric {
  checkKnown("compile: metric", name, metricNames);
  const make: (options: never) => Metric = makers[name as keyof typeof makers];
  return make(options as never);
}
