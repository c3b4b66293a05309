/** A line of numbers in as many signs. */

const blocks = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
/** What stands for a number that is not finite. */
const lost = "×";

/**
 * `values` as a line of at most `width` signs, `▇▅▃▂▁`: of more values, each sign is the mean of
 * neighbours. The lowest sign is the least of them; × is not finite.
 */
export function sparkline(values: readonly number[], width = 40): string {
  const count = Math.min(width, values.length);
  const means = Array.from({ length: count }, (_, i) => {
    const [from, to] = [i, i + 1].map((edge) => Math.floor((edge * values.length) / count));
    const inside = values.slice(from, to);
    return inside.reduce((sum, value) => sum + value / inside.length, 0);
  });
  const finite = means.filter(Number.isFinite);
  const [least, most] = [Math.min(...finite), Math.max(...finite)];
  return means
    .map((mean) => {
      if (!Number.isFinite(mean)) return lost;
      // Halved: the distance of two numbers may be no number.
      const share = most > least ? (mean / 2 - least / 2) / (most / 2 - least / 2) : 0.5;
      return blocks[Math.round(share * (blocks.length - 1))]!;
    })
    .join("");
}
