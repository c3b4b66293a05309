/** Reading back what a metric saved. */
import { fieldsOf } from "../checks.js";
import { DataError } from "../errors.js";
import type { MetricState } from "./metric.js";

/** The numbers of a part of `state`. Throws DataError unless there are `count` of them. */
export function loadNumbers(
  name: string,
  state: MetricState,
  part: string,
  count?: number,
): readonly number[] {
  const fields = fieldsOf(`${name}: the saved state`, state);
  const numbers: unknown = Object.hasOwn(fields, part) ? fields[part] : undefined;
  const areNumbers =
    Array.isArray(numbers) && numbers.every((value): value is number => typeof value === "number");
  if (areNumbers && (count === undefined || numbers.length === count)) return numbers;
  throw new DataError(
    `${name}: the saved state has no ${count === undefined ? "" : `${count} `}numbers "${part}"`,
  );
}
