import { expect, it } from "vitest";
import { sparkline } from "../src/plot/sparkline.js";
import { History } from "../src/train/history.js";

it.each([
  ["a fall", [7, 6, 5, 4, 3, 2, 1, 0], "█▇▆▅▄▃▂▁"],
  ["nothing", [], ""],
  ["one value", [3], "▅"],
  ["the same value", [0.1, 0.1, 0.1], "▅▅▅"],
  ["values that are not finite", [NaN, 1, Infinity, 2, -Infinity], "×▁×█×"],
  ["nothing finite", [NaN, NaN], "××"],
  ["the largest numbers", [-1.7e308, 0, 1.7e308], "▁▅█"],
])("tells %s", (_, values, line) => {
  expect(sparkline(values)).toBe(line);
});

it("tells many values by their means", () => {
  const values = Array.from({ length: 10_000 }, (_, index) => (index < 5000 ? 0 : 1) + (index % 2));
  expect(sparkline(values, 4)).toBe("▁▁██");
});

it("tells the loss of a history", () => {
  const history = new History();
  for (const epoch of [0, 1, 2]) history.add(epoch, { loss: 2 - epoch, accuracy: epoch });
  expect(history.sparkline()).toBe("█▅▁");
  expect(history.sparkline("accuracy", 2)).toBe("▁█");
});
