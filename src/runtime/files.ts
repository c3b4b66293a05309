/** Where a build's own files are; the bundle that holds them itself has a version of its own. */
import type { Build } from "./protocol.js";

/** The address of file `name` of `build`, in the folder `wasm`. */
export function engineFile(wasm: URL, build: Build, name: string): URL {
  return new URL(`${build}/${name}`, wasm.href.endsWith("/") ? wasm : `${wasm.href}/`);
}
