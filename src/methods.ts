/** Gives `Tensor` its methods: the ops, and `backward`. Importing this module is what does it. */
import type { BackwardOptions } from "./autograd.js";
import { backward } from "./autograd.js";
import { detach } from "./ops/elementwise.js";
import { tensorOps } from "./ops/index.js";
import { setDetach, Tensor } from "./tensor.js";

type TensorOps = typeof tensorOps;

/** Each op that takes a tensor first, as a method: the rest of its arguments. */
type Methods = {
  [K in Exclude<keyof TensorOps, "detach" | "concat" | "stack">]: TensorOps[K] extends (
    first: infer First,
    ...rest: infer Rest
  ) => infer Result
    ? Tensor extends First
      ? (...rest: Rest) => Result
      : never
    : never;
};

declare module "./tensor.js" {
  interface Tensor extends Methods {
    /** Adds to `grad` of every leaf with `requiresGrad` that this depends on. */
    backward(options?: BackwardOptions): void;
  }
}

setDetach(detach);

const own = new Set(["detach", "concat", "stack"]);
for (const [name, op] of Object.entries(tensorOps)) {
  if (own.has(name)) continue;
  Object.defineProperty(Tensor.prototype, name, {
    configurable: true,
    writable: true,
    value(this: Tensor, ...rest: unknown[]) {
      return Reflect.apply(op, undefined, [this, ...rest]) as unknown;
    },
  });
}

Object.defineProperty(Tensor.prototype, "backward", {
  configurable: true,
  writable: true,
  value(this: Tensor, options?: BackwardOptions) {
    backward(this, options);
  },
});
