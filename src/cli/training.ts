/** What a model of a config is trained by: optimizers, schedules, metrics, callbacks. */
import { z } from "zod";
import type { MetricConfig, MetricSpec } from "../metrics/index.js";
import { metricNames, metricSet } from "../metrics/named.js";
import type { OptimizerSpec } from "../optim/index.js";
import * as schedules from "../optim/lrScheduler/index.js";
import type { Optimizer } from "../optim/optimizer.js";
import {
  CSVLogger,
  EarlyStopping,
  ModelCheckpoint,
  ReduceLROnPlateau,
  RemoteMonitor,
  SwapEMAWeights,
  TensorBoard,
  TerminateOnNaN,
} from "../train/callbacks/index.js";
import type { FitCallbacks } from "../train/hooks.js";
import type { Companions } from "../train/save.js";
import type { Kind } from "./schema.js";
import { flag, kind, named, number, positive, text, whole } from "./schema.js";

const selection = {
  names: z.array(text).optional(),
  minRank: whole.optional(),
  maxRank: whole.optional(),
};

const rate = { learningRate: number.optional(), weightDecay: number.optional() };

const everyOptimizer = {
  ...rate,
  clipNorm: number.optional(),
  clipValue: number.optional(),
  emaMomentum: number.optional(),
  groups: z.array(z.strictObject({ ...selection, ...rate })).optional(),
};

const betas = z.tuple([number, number]).optional();
const eps = number.optional();
const decoupledWeightDecay = flag.optional();

const optimizerOptions = {
  sgd: { momentum: number.optional(), dampening: number.optional(), nesterov: flag.optional() },
  adam: { betas, eps, amsgrad: flag.optional() },
  adamW: { betas, eps, amsgrad: flag.optional() },
  adamax: { betas, eps },
  nAdam: { betas, eps, momentumDecay: number.optional(), decoupledWeightDecay },
  rAdam: { betas, eps, decoupledWeightDecay },
  rmsProp: {
    alpha: number.optional(),
    eps,
    momentum: number.optional(),
    centered: flag.optional(),
  },
  adagrad: { lrDecay: number.optional(), initialAccumulatorValue: number.optional(), eps },
  adadelta: { rho: number.optional(), eps },
  lion: { betas },
} satisfies { readonly [name in OptimizerSpec["name"]]: z.core.$ZodShape };

function optimizerKind(name: OptimizerSpec["name"]): Kind<OptimizerSpec> {
  const shape = { ...everyOptimizer, ...optimizerOptions[name] };
  return kind(z.strictObject(shape), (options): OptimizerSpec => ({ name, options }));
}

export const optimizerKinds = {
  sgd: optimizerKind("sgd"),
  adam: optimizerKind("adam"),
  adamW: optimizerKind("adamW"),
  adamax: optimizerKind("adamax"),
  nAdam: optimizerKind("nAdam"),
  rAdam: optimizerKind("rAdam"),
  rmsProp: optimizerKind("rmsProp"),
  adagrad: optimizerKind("adagrad"),
  adadelta: optimizerKind("adadelta"),
  lion: optimizerKind("lion"),
};

export const optimizer = named("name", optimizerKinds);

export const regularizer = z.strictObject({
  l1: number.optional(),
  l2: number.optional(),
  ...selection,
});

/** A schedule before it knows the optimizer, and what it counts. */
export interface Schedule {
  readonly interval: "epoch" | "step";
  readonly make: (optimizer: Optimizer) => schedules.LRScheduler;
}

const counted = z.object({ interval: z.enum(["epoch", "step"]).default("epoch") });

function scheduleKind<S extends z.ZodRawShape>(
  shape: S,
  make: (optimizer: Optimizer, options: z.output<z.ZodObject<S>>) => schedules.LRScheduler,
): Kind<Schedule> {
  const own = z.object(shape);
  return kind(z.strictObject({ ...shape, ...counted.shape }), (given): Schedule => {
    const options = own.parse(given);
    const { interval } = counted.parse(given);
    return { interval, make: (optimizer) => make(optimizer, options) };
  });
}

export const scheduleKinds = {
  stepLR: scheduleKind(
    { stepSize: whole, gamma: number.optional() },
    (optimizer, options) => new schedules.StepLR(optimizer, options),
  ),
  multiStepLR: scheduleKind(
    { milestones: z.array(whole), gamma: number.optional() },
    (optimizer, options) => new schedules.MultiStepLR(optimizer, options),
  ),
  exponentialLR: scheduleKind(
    { gamma: number },
    (optimizer, options) => new schedules.ExponentialLR(optimizer, options),
  ),
  constantLR: scheduleKind(
    { factor: number.optional(), totalIters: whole.optional() },
    (optimizer, options) => new schedules.ConstantLR(optimizer, options),
  ),
  linearLR: scheduleKind(
    { startFactor: number.optional(), endFactor: number.optional(), totalIters: whole.optional() },
    (optimizer, options) => new schedules.LinearLR(optimizer, options),
  ),
  polynomialLR: scheduleKind(
    { totalIters: whole.optional(), power: number.optional() },
    (optimizer, options) => new schedules.PolynomialLR(optimizer, options),
  ),
  cosineAnnealingLR: scheduleKind(
    { tMax: whole, etaMin: number.optional() },
    (optimizer, options) => new schedules.CosineAnnealingLR(optimizer, options),
  ),
  cosineAnnealingWarmRestarts: scheduleKind(
    { t0: whole, tMult: whole.optional(), etaMin: number.optional() },
    (optimizer, options) => new schedules.CosineAnnealingWarmRestarts(optimizer, options),
  ),
  oneCycleLR: scheduleKind(
    {
      maxLearningRate: number,
      totalSteps: whole,
      pctStart: number.optional(),
      annealStrategy: z.enum(["cos", "linear"]).optional(),
      divFactor: number.optional(),
      finalDivFactor: number.optional(),
      threePhase: flag.optional(),
    },
    (optimizer, options) => new schedules.OneCycleLR(optimizer, options),
  ),
};

export const schedule = named("name", scheduleKinds);

const classes = z.union([positive, z.array(text)]).optional();
const averaged = {
  classes,
  threshold: number.optional(),
  average: z.enum(["binary", "micro", "macro", "weighted", "none"]).optional(),
  positive: whole.optional(),
  zeroDivision: z.union([z.literal(0), z.literal(1)]).optional(),
};
const area = { average: z.enum(["macro", "weighted", "none"]).optional() };

/** The options of the metrics that have some. */
const metricOptions: { readonly [name: string]: z.core.$ZodShape } = {
  binaryAccuracy: { threshold: number.optional() },
  topKAccuracy: { k: whole.optional() },
  precision: averaged,
  recall: averaged,
  f1: averaged,
  fBeta: { ...averaged, beta: number.optional() },
  balancedAccuracy: { classes, threshold: number.optional() },
  cohensKappa: {
    classes,
    threshold: number.optional(),
    weights: z.enum(["none", "linear", "quadratic"]).optional(),
  },
  matthewsCorrelation: { classes, threshold: number.optional() },
  rocAuc: area,
  prAuc: area,
};

/** Metrics by name; those without options are computed in the step where that can be. */
export const metricKinds = Object.fromEntries(
  metricNames
    // Its rows are no numbers that epochs could report.
    .filter((name) => name !== "confusionMatrix")
    .map((name): [string, Kind<MetricSpec>] => [
      name,
      kind(z.strictObject(metricOptions[name] ?? {}), (options): MetricSpec => {
        const config: MetricConfig = { metric: name, options };
        const spec = Object.keys(options).length > 0 ? config : name;
        metricSet([spec]);
        return spec;
      }),
    ]),
);

export const metric = named("name", metricKinds);

/** What callbacks are told of the training they take part in. */
export interface CallbackPlace {
  /** A path of a config, in the output's folder. */
  readonly pathOf: (path: string) => string;
  readonly companions: Companions;
}

/** A callback, once it is known where the training's files are. */
export type MakeCallback = (place: CallbackPlace) => FitCallbacks;

const monitored = {
  monitor: text.optional(),
  mode: z.enum(["auto", "min", "max"]).optional(),
  minDelta: number.optional(),
};

export const callbackKinds = {
  earlyStopping: kind(
    z.strictObject({
      ...monitored,
      patience: whole.optional(),
      baseline: number.optional(),
      restoreBestWeights: flag.optional(),
      startFromEpoch: whole.optional(),
    }),
    (options): MakeCallback => {
      const callback = new EarlyStopping(options);
      return () => callback;
    },
  ),
  reduceLROnPlateau: kind(
    z.strictObject({
      ...monitored,
      factor: number.optional(),
      patience: whole.optional(),
      cooldown: whole.optional(),
      minLearningRate: number.optional(),
    }),
    (options): MakeCallback => {
      const callback = new ReduceLROnPlateau(options);
      return () => callback;
    },
  ),
  modelCheckpoint: kind(
    z.strictObject({
      path: text.optional(),
      ...monitored,
      saveTopK: positive.optional(),
      saveLast: text.optional(),
      saveWeightsOnly: flag.optional(),
    }),
    ({ path = "best", saveLast, ...options }): MakeCallback =>
      ({ pathOf, companions }) =>
        new ModelCheckpoint(pathOf(path), {
          ...options,
          companions,
          ...(saveLast !== undefined && { saveLast: pathOf(saveLast) }),
        }),
  ),
  csvLogger: kind(
    z.strictObject({ path: text, separator: text.optional(), append: flag.optional() }),
    ({ path, ...options }): MakeCallback =>
      ({ pathOf }) =>
        new CSVLogger(pathOf(path), options),
  ),
  tensorBoard: kind(
    z.strictObject({
      path: text.optional(),
      histogramFrequency: whole.optional(),
      updateFrequency: z.union([z.enum(["epoch", "batch"]), positive]).optional(),
    }),
    ({ path = "tensorboard", ...options }): MakeCallback =>
      ({ pathOf }) =>
        new TensorBoard(pathOf(path), options),
  ),
  remoteMonitor: kind(
    z.strictObject({
      root: text,
      path: text.optional(),
      field: text.optional(),
      headers: z.record(text, text).optional(),
      sendAsJson: flag.optional(),
      timeout: number.optional(),
    }),
    ({ root, ...options }): MakeCallback => {
      const callback = new RemoteMonitor(root, options);
      return () => callback;
    },
  ),
  swapEMAWeights: kind(
    z.strictObject({ swapOnEpoch: flag.optional() }),
    (options): MakeCallback => {
      const callback = new SwapEMAWeights(options);
      return () => callback;
    },
  ),
  terminateOnNaN: kind(z.strictObject({}), (): MakeCallback => {
    const callback = new TerminateOnNaN();
    return () => callback;
  }),
};

export const callback = named("name", callbackKinds);
