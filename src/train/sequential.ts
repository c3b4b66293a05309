import { shown } from "../checks.js";
import { ArgumentError } from "../errors.js";
import type { LayerConfig, Signal } from "../nn/module.js";
import { Module } from "../nn/module.js";
import { buildLayer, describeLayer } from "../nn/registry.js";
import { Model } from "./model.js";

/** Layers applied one after the other. Their variables are named by number: `0.weight`. */
export class Sequential extends Model {
  readonly type = "sequential";
  readonly layers: readonly Module[];

  constructor(...layers: readonly Module[]) {
    super();
    if (layers.length === 0) throw new ArgumentError("sequential: no layers");
    layers.forEach((layer: unknown, index) => {
      if (layer instanceof Module) return;
      throw new ArgumentError(`sequential: layer ${index} is ${shown(layer)}, not a layer`);
    });
    this.layers = layers;
  }

  override children(): [name: string, module: Module][] {
    return this.layers.map((layer, index) => [String(index), layer]);
  }

  run(signal: Signal): Signal {
    let current = signal;
    for (let at = 0; at < this.layers.length; at++) {
      const [layer, next] = [this.layers[at]!, this.layers[at + 1]];
      const joined = next && layer.applyWith(next, current);
      if (joined) at++;
      current = joined ?? layer.apply(current);
    }
    return current;
  }

  config(): { readonly layers: readonly LayerConfig[] } {
    return { layers: this.layers.map(describeLayer) };
  }

  /** Builds the model that `config` describes. Throws DataError for what is no description. */
  static fromConfig({ layers }: { readonly layers: readonly LayerConfig[] }): Sequential {
    return new Sequential(...layers.map(buildLayer));
  }
}
