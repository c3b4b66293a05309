/** `ferrograd/inline`: the library and its data in one file, for where files have no addresses. */
export * as data from "./data/index.js";
export * from "./index.js";
