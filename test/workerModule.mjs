// A model with a layer of its own, for workers: the module they get it from.

export function model({ nn }) {
  class Doubled extends nn.Module {
    type = "doubled";
    run(signal) {
      return { ...signal, x: signal.x.mul(2) };
    }
    config() {
      return {};
    }
  }
  return nn.sequential(
    nn.linear(6, 8, { activation: "tanh" }),
    new Doubled(),
    nn.linear(8, 3, { activation: "softmax" }),
  );
}
