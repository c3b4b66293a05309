/** The progress bar: what it says, how often, and where lines cannot be written over. */
import { describe, expect, it } from "vitest";
import type { ProgressOptions } from "../src/train/progressBar.js";
import {
  formatBar,
  formatDuration,
  formatReport,
  formatStep,
  ProgressBar,
} from "../src/train/progressBar.js";

/** What a bar wrote, on a clock that the test moves. */
function record(options: Partial<ProgressOptions> & { isTTY?: boolean; columns?: number }): {
  readonly bar: ProgressBar;
  readonly written: string[];
  readonly wait: (milliseconds: number) => void;
} {
  const { isTTY = true, columns, ...rest } = options;
  const written: string[] = [];
  let now = 1000;
  const bar = new ProgressBar({
    epochs: 2,
    steps: 10,
    verbose: 1,
    stream: { write: (text) => written.push(text), isTTY, ...(columns && { columns }) },
    clock: () => now,
    ...rest,
  });
  return { bar, written, wait: (milliseconds) => void (now += milliseconds) };
}

describe("formats", () => {
  it.each([
    [0, "0s"],
    [-1, "0s"],
    [0.2, "1s"],
    [59, "59s"],
    [59.1, "1:00"],
    [61, "1:01"],
    [3599, "59:59"],
    [3600, "1:00:00"],
    [36_061, "10:01:01"],
    [90_000, "25:00:00"],
  ])("%d seconds as %s", (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });

  it.each([
    [0.04, "0.0ms/step"],
    [3.14, "3.1ms/step"],
    [10, "10ms/step"],
    [1234.5, "1235ms/step"],
  ])("%d milliseconds as %s", (milliseconds, text) => {
    expect(formatStep(milliseconds)).toBe(text);
  });

  it("values to four digits that count", () => {
    const report = {
      loss: 0.69314,
      accuracy: 1,
      tiny: 0.0000125,
      below: -0.0002,
      zero: 0,
      bad: NaN,
    };
    expect(formatReport(report)).toBe(
      "loss: 0.6931 - accuracy: 1.0000 - tiny: 1.2500e-5 - below: -2.0000e-4 - zero: 0.0000 - bad: NaN",
    );
    expect(formatReport({})).toBe("");
  });

  it("a bar of 20 signs, the time that is left, the time a step takes", () => {
    expect(formatBar(3, 10, 600, { loss: 0.5 })).toBe(
      "3/10 ━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌ ETA 2s 200ms/step - loss: 0.5000".replace("3/10", " 3/10"),
    );
    expect(formatBar(10, 10, 600, {})).toContain("10/10 ━━━━━━━━━━━━━━━━━━━━ ETA 0s");
    expect(formatBar(1, 1000, 1, {})).toContain("   1/1000 ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ ETA 1s");
  });
});

describe("on a terminal", () => {
  it("heads each epoch, draws over its line, and ends it", () => {
    const { bar, written, wait } = record({ steps: 2 });
    bar.startEpoch(0);
    wait(100);
    bar.update(1, { loss: 0.5 });
    wait(100);
    bar.update(2, { loss: 0.25 });
    bar.endEpoch({ loss: 0.25, valLoss: 0.3 });
    bar.startEpoch(1);
    expect(written[0]).toBe("Epoch 1/2\n");
    expect(written[1]).toMatch(/^\r1\/2 ━{10}╌{10} ETA 1s 100ms\/step - loss: 0\.5000$/);
    expect(written[2]).toMatch(/^\r2\/2 ━{20} ETA 0s 100ms\/step - loss: 0\.2500$/);
    expect(written[3]).toMatch(/^\r2\/2 - 1s 100ms\/step - loss: 0\.2500 - valLoss: 0\.3000 *$/);
    expect(written.slice(4)).toEqual(["\n", "Epoch 2/2\n"]);
  });

  it("covers all of a longer line", () => {
    const { bar, written } = record({ steps: 1 });
    bar.startEpoch(0);
    bar.update(1, { loss: 1, accuracy: 0.123, precision: 0.5 });
    bar.endEpoch({ loss: 1 });
    expect(written[2]!.length).toBe(written[1]!.length);
  });

  it("draws no oftener than every 50 ms, the first and the last step always", () => {
    const steps = 1000;
    const { bar, written, wait } = record({ steps });
    bar.startEpoch(0);
    for (let step = 1; step <= steps; step++) {
      wait(1);
      bar.update(step, { loss: 1 });
    }
    const drawn = written.slice(1).map((line) => Number(/^\r *(\d+)/.exec(line)![1]));
    expect(drawn).toEqual([1, ...Array.from({ length: 19 }, (_, i) => 51 + i * 50), 1000]);
  });

  it("never writes a line that would wrap", () => {
    const { bar, written } = record({ steps: 1, columns: 40 });
    bar.startEpoch(0);
    bar.update(1, { loss: 1, accuracy: 0.5, precision: 0.5 });
    bar.endEpoch({ loss: 1, accuracy: 0.5, precision: 0.5, recall: 0.5 });
    for (const line of written.slice(1, 3)) expect(line).toHaveLength(1 + 39);
    expect(written[1]).toContain("1/1 ━━━");
  });

  it("with verbose 2 writes a line an epoch", () => {
    const { bar, written, wait } = record({ verbose: 2 });
    bar.startEpoch(1);
    wait(70_000);
    bar.update(10, { loss: 0.5 });
    bar.endEpoch({ loss: 0.5 });
    expect(written).toEqual(["Epoch 2/2 - 10/10 - 1:10 7000ms/step - loss: 0.5000\n"]);
  });
});

describe("elsewhere", () => {
  it("writes a line an epoch", () => {
    const { bar, written, wait } = record({ isTTY: false });
    for (const epoch of [0, 1]) {
      bar.startEpoch(epoch);
      for (let step = 1; step <= 10; step++) {
        wait(100);
        bar.update(step, { loss: step });
      }
      // Measuring after the epoch is no part of its steps' time.
      wait(5000);
      bar.endEpoch({ loss: 10, valLoss: 9 });
    }
    const line = "10/10 - 1s 100ms/step - loss: 10.0000 - valLoss: 9.0000\n";
    expect(written).toEqual([`Epoch 1/2 - ${line}`, `Epoch 2/2 - ${line}`]);
  });

  it("is silent with verbose 0", () => {
    const { bar, written } = record({ verbose: 0 });
    bar.startEpoch(0);
    bar.update(10, { loss: 1 });
    bar.endEpoch({ loss: 1 });
    expect(written).toEqual([]);
  });
});
