/** Event files, byte for byte as TensorBoard's own writer has them. */
import { describe, expect, it } from "vitest";
import { crc32c, histogramOf, join, summaryRecord, versionRecord } from "../src/io/eventFile.js";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("event files", () => {
  it("are the bytes of tensorboard.summary.writer.record_writer for the same events", () => {
    const histogram = {
      ...{ min: -1, max: 2, count: 4, sum: 3, sumOfSquares: 7.5 },
      limits: [0.5, 2],
      counts: [1, 3],
    };
    const bytes = join([
      versionRecord(1700000000.25),
      summaryRecord(1700000001.5, 300, [
        { tag: "epoch_loss", value: 0.75 },
        { tag: "0.weight", value: histogram },
      ]),
    ]);
    expect(hex(bytes)).toBe(
      "1800000000000000a37f4b220900001040fc54d9411a0d627261696e2e4576656e743a32338d2fe9" +
        "80000000000000002a5b60ec0900006040fc54d94110ac022a720a110a0a65706f63685f6c6f7373" +
        "150000403f0a5d0a08302e7765696768742a5109000000000000f0bf110000000000000040190000" +
        "000000001040210000000000000840290000000000001e403210000000000000e03f000000000000" +
        "00403a10000000000000f03f000000000000084081142d11",
    );
  });

  it("have the checksums of RFC 3720", () => {
    const zeros = new Uint8Array(32);
    expect(crc32c(zeros)).toBe(0x8a9136aa);
    expect(crc32c(zeros.fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(zeros.map((_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  });

  it("count numbers in buckets, and those that are none in no bucket", () => {
    const { counts, limits, ...rest } = histogramOf([0, 1, 1.5, 4, NaN, Infinity], 4);
    expect(rest).toEqual({ min: 0, max: 4, count: 4, sum: 6.5, sumOfSquares: 19.25 });
    expect(counts).toEqual([1, 2, 0, 1]);
    expect(limits).toEqual([1, 2, 3, 4]);
    expect(histogramOf([2, 2], 3)).toMatchObject({ min: 2, max: 2, counts: [2, 0, 0] });
    expect(histogramOf([NaN], 1)).toMatchObject({ min: 0, max: 0, count: 0, counts: [0] });
  });
});
