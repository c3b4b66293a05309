/** Every row of the benchmarks does the work it says: its results are those of the references. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { tolerance } from "../bench/row.js";
import { rows } from "../bench/rows.js";
import { init, shutdown } from "../src/index.js";

beforeAll(() => init());
afterAll(() => shutdown());

// A step of the language model is 40 GFLOP: no machine is too slow for this.
const patience = 600_000;

it.each(rows)(
  "$name has the results of the references",
  async ({ prepare }) => {
    const { error, run } = await prepare();
    expect(error).toBeLessThan(tolerance);
    await run();
  },
  patience,
);
