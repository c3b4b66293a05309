/** Pictures show what they are given, as SVG that any reader takes. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { History } from "../src/train/history.js";
import { ConfusionMatrix } from "../src/metrics/confusionMatrix.js";
import { precisionRecallCurve, rocCurve } from "../src/metrics/curves.js";
import { plotHistory } from "../src/plot/learningCurves.js";
import { plotPrecisionRecallCurve, plotRocCurve } from "../src/plot/scoreCurves.js";
import { drawn, placeOf } from "./drawn.js";

/** Names that are markup, script, expressions and signs that XML does not take. */
const hostile = `</text><script>"'&\u0000\ud800\n]]>\u2028 \${1} {{x}} \\`;
const hostileShown = `</text><script>"'&□□ ]]> \${1} {{x}} \\`;

// What draws complains on the console where a specification does not fit its data.
beforeEach(() => {
  for (const method of ["log", "warn", "error"] as const) vi.spyOn(console, method);
});
afterEach(() => {
  for (const method of ["log", "warn", "error"] as const) {
    expect(console[method]).not.toHaveBeenCalled();
  }
  vi.restoreAllMocks();
});

function historyOf(reports: readonly Readonly<Record<string, number>>[]): History {
  const history = new History();
  reports.forEach((report, epoch) => {
    history.add(epoch, report);
  });
  return history;
}

describe("learning curves", () => {
  it("have a diagram a value, training and validation in it, at their places", async () => {
    const history = historyOf([
      { loss: 1, accuracy: 0.5, valLoss: 2, valAccuracy: 0.4 },
      { loss: 0.5, accuracy: 0.6, valLoss: 1, valAccuracy: 0.5 },
      { loss: 0, accuracy: 0.75, valLoss: 1.5, valAccuracy: 0.625 },
    ]);
    const picture = await history.plot({ title: "A run" });
    expect(picture.title).toBe("A run");
    const { texts, marks } = drawn(picture);
    for (const text of ["A run", "loss", "accuracy", "training", "validation"]) {
      expect(texts.filter((one) => one === text)).toHaveLength(1);
    }
    expect(texts.filter((text) => text === "epoch")).toHaveLength(2);
    expect(marks("line mark").size).toBe(4);
    const points = marks("point");
    expect(points.size).toBe(12);
    // The diagram is 360 × 220; losses go from 0 to 2.
    expect(placeOf(points.get("epoch: 2; loss: 0.5; series: training")!)).toEqual([180, 165]);
    expect(placeOf(points.get("epoch: 3; loss: 1.5; series: validation")!)).toEqual([360, 55]);
  });

  it("break at values that are not finite, and mark them", async () => {
    const losses = [1, NaN, 0.5, Infinity, 0.25, -Infinity, 1e308];
    const picture = await historyOf(losses.map((loss) => ({ loss }))).plot();
    const { texts, marks } = drawn(picture);
    expect(texts.filter((text) => text === "✕")).toHaveLength(4);
    expect(texts).toContain("✕ at an edge: a value that is not finite");
    expect([...marks("point").keys()]).toEqual(
      [1, 3, 5].map((epoch) => `epoch: ${epoch}; loss: ${losses[epoch - 1]!}; series: training`),
    );
    expect(picture.svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it.each([
    ["one epoch", [0.5]],
    ["the same value always", [0.5, 0.5, 0.5]],
    ["zeros", [0, -0, 0]],
    ["no finite value", [NaN, NaN]],
    ["the smallest numbers", [5e-324, 0, 1e-320]],
    ["the largest numbers", [1e300, -1e300]],
  ])("are drawn of %s", async (_, losses) => {
    const picture = await historyOf(losses.map((loss) => ({ loss }))).plot();
    expect(drawn(picture).texts).toContain("loss");
    expect(picture.svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it("of many epochs keep their peaks, and stay small", async () => {
    const count = 50_000;
    const loss = Array.from({ length: count }, (_, epoch) => Math.sin(epoch));
    loss[31_234] = 9;
    loss[7] = -3;
    const { svg } = await plotHistory({ epoch: [...loss.keys()], history: { loss } });
    const [line] = drawn({ svg }).marks("line mark").values();
    const heights = [...line!.getAttribute("d")!.matchAll(/,([-\d.]+)/g)].map(([, y]) => Number(y));
    // The axis goes from −3 to 9.
    expect(Math.min(...heights)).toBe(0);
    expect(Math.max(...heights)).toBe(220);
    expect(heights.filter((height) => height > 20 && height < 120)).toEqual([]);
    expect(svg.length).toBeLessThan(100_000);
  });

  it("show names as they are, whatever they are", async () => {
    const picture = await historyOf([{ [hostile]: 1, __proto__x: 2, "a.b[0]": 3 }]).plot({
      title: hostile,
    });
    const { texts, elements } = drawn(picture);
    expect(texts.filter((text) => text === hostileShown)).toHaveLength(2);
    expect(texts).toContain("a.b[0]");
    expect(elements("script")).toEqual([]);
  });

  it("are of the values asked for", async () => {
    const history = historyOf([{ loss: 1, AUC: 0.5, valAUC: 0.4, valLoss: 2, value: 3 }]);
    const { texts, marks } = drawn(await history.plot({ names: ["AUC"] }));
    expect([...marks("point").keys()]).toEqual([
      "epoch: 1; AUC: 0.5; series: training",
      "epoch: 1; AUC: 0.4; series: validation",
    ]);
    expect(texts).not.toContain("loss");
    await expect(history.plot({ names: ["f1"] })).rejects.toThrow(
      "history.plot: there is no f1; there are loss, AUC, value",
    );
  });

  it("are not drawn of a training without epochs", async () => {
    await expect(new History().plot()).rejects.toThrow("no epoch has been recorded");
  });
});

describe("a confusion matrix", () => {
  function matrixOf(counts: readonly (readonly number[])[], classes?: readonly string[]) {
    const matrix = new ConfusionMatrix(classes ? { classes } : {});
    const cells = counts.flatMap((row, truth) => row.map((count, taken) => [truth, taken, count]));
    const column = (index: number): number[] => cells.map((cell) => cell[index]!);
    return matrix.update(column(0), column(1), { sampleWeight: column(2) });
  }
  const square = (size: number) =>
    Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => i * size + j));

  it("has a shade and a number for each pair, classes as rows and columns", async () => {
    const picture = await matrixOf(
      [
        [5, 1],
        [2, 10],
      ],
      ["cat", "dog"],
    ).plot();
    const { texts, marks } = drawn(picture);
    const cells = marks("rect mark");
    expect([...cells.keys()]).toEqual([
      "true class cat, predicted class cat: 5",
      "true class cat, predicted class dog: 1",
      "true class dog, predicted class cat: 2",
      "true class dog, predicted class dog: 10",
    ]);
    // The second row is below the first, the darkest shade is the most.
    const dark = cells.get("true class dog, predicted class dog: 10")!;
    expect(dark.getAttribute("d")).toBe("M48,48h48v48h-48Z");
    expect(dark.getAttribute("fill")).toBe("rgb(8, 48, 107)");
    for (const text of ["5", "1", "2", "10", "true class", "predicted class", "Confusion matrix"]) {
      expect(texts).toContain(text);
    }
    expect(texts.filter((text) => text === "cat")).toHaveLength(2);
  });

  it("shows shares", async () => {
    const matrix = matrixOf([
      [3, 1],
      [0, 0],
    ]);
    expect(drawn(await matrix.plot({ normalize: "true" })).texts).toContain("75%");
    expect(drawn(await matrix.plot({ normalize: "all" })).texts).toContain("share of all");
  });

  it("is drawn of one class, and of a hundred without numbers", async () => {
    expect(drawn(await matrixOf([[7]]).plot()).texts.slice(0, 1)).toEqual(["7"]);
    const large = await matrixOf(square(100)).plot();
    const { texts, elements } = drawn(large);
    // Every second or third name has room, no number has.
    expect(texts.length).toBeLessThan(120);
    expect(elements("path").filter((path) => path.hasAttribute("fill")).length).toBeGreaterThan(
      1e4,
    );
  });

  it("writes large counts and fractions short", async () => {
    const { texts } = drawn(
      await matrixOf([
        [123_456, 0],
        [1 / 3, 9999],
      ]).plot(),
    );
    expect(texts.slice(0, 4).sort()).toEqual(["0", "0.333", "123K", "9999"]);
  });

  it("shows names as they are, twice the same and very long ones too", async () => {
    const long = "x".repeat(5000);
    const counts = [
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ];
    const { texts, marks } = drawn(await matrixOf(counts, [hostile, hostile, long]).plot());
    expect(texts.filter((text) => text.startsWith("</text><script>"))).toHaveLength(4);
    expect(texts.filter((text) => /^x+…$/.test(text) && text.length < 40)).toHaveLength(2);
    expect(marks("rect mark").size).toBe(9);
  });

  it("is not drawn of nothing", async () => {
    await expect(new ConfusionMatrix().plot()).rejects.toThrow("call update first");
  });
});

describe("curves of scores", () => {
  const labels = [1, 0, 1, 0, 1, 0];
  const scores = [0.9, 0.8, 0.7, 0.4, 0.3, 0.1];

  it("are a line a curve, with chance under ROC curves", async () => {
    const curve = rocCurve(labels, scores);
    const picture = await plotRocCurve({ [hostile]: curve, other: curve });
    const { texts, marks, elements } = drawn(picture);
    expect(marks("line mark").size).toBeGreaterThan(0);
    expect(texts).toEqual(expect.arrayContaining(["other", "false positive rate"]));
    expect(texts.filter((text) => text.startsWith(hostileShown.slice(0, 20)))).toHaveLength(1);
    const lines = elements("path").filter((path) => path.getAttribute("stroke-width") === "2");
    // A third of the square is 106.667 pixels: one of three positives, then one of three negatives.
    expect(lines.map((line) => line.getAttribute("d"))).toEqual(
      Array(2).fill(
        "M0,320L0,213.333L106.667,213.333L106.667,106.667L213.333,106.667L213.333,0L320,0",
      ),
    );
  });

  it("in steps of precision over recall", async () => {
    const curve = precisionRecallCurve(labels, scores);
    const { texts, elements } = drawn(await plotPrecisionRecallCurve({ model: curve }));
    expect(texts).toEqual(expect.arrayContaining(["recall", "precision", "model"]));
    const [line] = elements("path").filter((path) => path.getAttribute("stroke-width") === "2");
    // Precision is 1 up to a third, falls to 1/2, is 2/3 at two thirds, at last 1/2 again.
    expect(line!.getAttribute("d")).toMatch(/^M0,0L0,0L106\.667,0/);
  });

  it("are not drawn where there are none", async () => {
    const onlyPositives = rocCurve([1, 1], [0.5, 0.6]);
    await expect(plotRocCurve({ model: onlyPositives })).rejects.toThrow(
      'plotRocCurve: the curve "model" is undefined; it is of entries of both classes',
    );
    const onlyNegatives = precisionRecallCurve([0, 0], [0.5, 0.6]);
    await expect(plotPrecisionRecallCurve({ model: onlyNegatives })).rejects.toThrow("undefined");
    await expect(plotRocCurve({})).rejects.toThrow("there is no curve to draw");
  });
});
