/** A point of a line; without `y`, a gap in it. */
export interface Point {
  readonly x: number;
  readonly y: number | null;
}

/**
 * Of more points than `columns` of pixels can show, those that the line through all of them is drawn
 * by: in each column the first, the last, the lowest, the highest and a gap (M4: Jugel et al., 2014).
 * The points' `x` do not fall.
 */
export function thinned<P extends Point>(points: readonly P[], columns: number): readonly P[] {
  const mostAColumn = 5;
  if (points.length <= columns * mostAColumn) return points;
  const [low, high] = [points[0]!.x, points.at(-1)!.x];
  const columnOf = ({ x }: P): number => Math.floor(((x - low) / (high - low || 1)) * columns);
  const kept: P[] = [];
  for (let from = 0, to = 0; from < points.length; from = to) {
    const column = columnOf(points[from]!);
    while (to < points.length && columnOf(points[to]!) === column) to++;
    const inside = points.slice(from, to);
    const real = inside.filter(({ y }) => y !== null);
    const byHeight = (pick: (a: P, b: P) => boolean): P[] =>
      real.length > 0 ? [real.reduce((a, b) => (pick(a, b) ? b : a))] : [];
    const chosen = new Set([
      inside[0]!,
      inside.at(-1)!,
      ...byHeight((a, b) => b.y! < a.y!),
      ...byHeight((a, b) => b.y! > a.y!),
      ...inside.filter(({ y }) => y === null).slice(0, 1),
    ]);
    kept.push(...inside.filter((point) => chosen.has(point)));
  }
  return kept;
}
