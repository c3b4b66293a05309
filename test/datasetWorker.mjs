/** A worker that serves a Dataset, for test/datasetWorkers.test.ts; runs the built library. */
import * as data from "ferrograd/data";

data.serveDataset(
  data
    .fromIterable(function* () {
      for (let i = 0; i < 40; i++) yield i;
    })
    .map((i, random) => {
      if (i === 30 && process.env.FERROGRAD_TEST_DIES) process.exit(7);
      if (i === 35) throw new RangeError("element 35");
      return { x: Float32Array.of(i, random.uniform()), at: i };
    })
    .shuffle({ bufferSize: 10 })
    .batch(4),
);
