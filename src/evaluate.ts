/** Runs what has been recorded: binds a planned Program to buffers and hands it to the engine. */
import type { TypedArray } from "./dtype.js";
import { dtypes } from "./dtype.js";
import { StateError } from "./errors.js";
import type { Value } from "./graph.js";
import { Storage, storedValue, takeReleased } from "./graph.js";
import type { Goal, Overwrite } from "./program/goal.js";
import { isLeaf } from "./program/goal.js";
import type { Plan } from "./program/plan.js";
import { plan, takeEvicted } from "./program/plan.js";
import { engine, shutdown as stopEngine } from "./runtime/engine.js";
import type { Request, Response } from "./runtime/protocol.js";
import { formatShape } from "./shape.js";
import type { Variable } from "./tensor.js";
import type { Updates } from "./updates.js";
import { forgetPending, takeRoots, takeUpdates } from "./updates.js";

/** The content of `value`, computed if it is not yet. */
export async function read(value: Value): Promise<TypedArray> {
  const host = hostContent(value);
  if (host) return host;
  if (value.bytes === 0) return new dtypes[value.dtype].make(0);
  realize([value]);
  const { storage } = storedSource(value);
  await storage.ready;
  return arrayOf(value, await engine().execute(readRequest(value)));
}

/** As `read`, with the thread blocking. */
export function readSync(value: Value): TypedArray {
  const host = hostContent(value);
  if (host) return host;
  if (value.bytes === 0) return new dtypes[value.dtype].make(0);
  realize([value]);
  return arrayOf(value, engine().executeSync(readRequest(value)));
}

/** Computes `values` into buffers of their own, in one run. */
export function realize(values: readonly Value[]): void {
  const targets = values.filter((value) => !isLeaf(value) && value.bytes > 0);
  for (const value of values) {
    if (!isLeaf(value) && value.bytes === 0) value.store(new Storage(0));
  }
  if (targets.length === 0) return;
  const storages = targets.map((value) => new Storage(value.bytes));
  const commit = (): void => targets.forEach((value, index) => value.store(storages[index]!));
  const bound = bind(plan({ targets, overwrites: [] }), storages);
  dispatch(bound, storages, commit, () => undefined);
}

/**
 * Computes all assignments that wait, with the roots of the backward passes behind them. The
 * content a parameter had before stays readable until its next update but one.
 */
export function flush(): void {
  const updates = takeUpdates();
  const roots = takeRoots().filter((value) => !isLeaf(value));
  try {
    runUpdates(updates, roots);
  } catch (error) {
    for (const [variable, before] of updates) variable.adopt(before);
    throw error;
  }
}

function runUpdates(updates: Updates, roots: readonly Value[]): void {
  const fresh: { variable: Variable; before: Value; after: Value }[] = [];
  const overwrites: (Overwrite & { variable: Variable })[] = [];
  for (const [variable, before] of updates) {
    const after = variable.value;
    if (isOwnHostData(after)) variable.adopt(after);
    else if (variable.overwrite) overwrites.push({ variable, before, after });
    else fresh.push({ variable, before, after });
  }
  const goal: Goal = { targets: [...roots, ...fresh.map(({ after }) => after)], overwrites };
  if (goal.targets.length + overwrites.length === 0) return;
  const planned = plan(goal);
  const inputs = new Set(planned.leaves.map((leaf) => storedSource(leaf).storage));
  const rootStorages = roots.map((value) => new Storage(value.bytes));
  const freshStorages = fresh.map(({ variable, after }) => {
    const spare = variable.takeSpare();
    return inputs.has(spare) ? new Storage(after.bytes) : spare;
  });
  const storages = [...rootStorages, ...freshStorages];
  const bound = bind(planned, storages);
  const commit = (): void => {
    roots.forEach((value, index) => value.store(rootStorages[index]!));
    fresh.forEach(({ variable, before, after }, index) => {
      const storage = freshStorages[index]!;
      storage.version++;
      variable.keepSpare(storedSource(before).storage);
      if (!isLeaf(after)) after.store(storage);
      variable.adopt(storedValue(storage, after.shape, after.dtype));
    });
    commitOverwrites(overwrites);
  };
  const revert = (): void => {
    for (const [variable, before] of updates) variable.adopt(before);
  };
  dispatch(bound, storages, commit, revert);
}

/** After a run: each variable has the new content, and older records of it are stale. */
export function commitOverwrites(
  overwrites: readonly (Overwrite & { readonly variable: Variable })[],
): void {
  for (const { variable, before } of overwrites) {
    const { storage } = storedSource(before);
    storage.version++;
    variable.adopt(storedValue(storage, before.shape, before.dtype));
  }
}

/** A run, with what to put back if it fails. */
interface Bound {
  readonly request: Request;
  readonly uploads: readonly { readonly storage: Storage; readonly host: TypedArray }[];
}

/** The request that runs `plan` with its results in `outputs`. */
export function bind(
  { program, leaves }: Plan,
  outputs: readonly Storage[],
  bufferOf: (leaf: Value) => Storage = currentStorage,
): Bound {
  const storages = leaves.map(bufferOf);
  const uploads = [...new Set(storages)].flatMap((storage) =>
    storage.host ? [{ storage, host: storage.host }] : [],
  );
  const loaded = engine().isLoaded(program.key);
  return {
    uploads,
    request: {
      frees: takeReleased(),
      unload: takeEvicted(),
      writes: uploads.map(({ storage, host }) => ({ handle: storage.handle, data: host })),
      ...(!loaded && { load: program }),
      run: {
        key: program.key,
        slots: [...storages, ...outputs].map(({ handle }) => handle),
      },
    },
  };
}

/**
 * Hands a request to the engine. On this thread it has run when this returns; elsewhere the
 * storages are marked as under way, and `revert` is called should it fail.
 */
function dispatch(
  bound: Bound,
  outputs: readonly Storage[],
  commit: () => void,
  revert: () => void,
): void {
  if (engine().info().host === "caller") {
    engine().executeSync(bound.request);
    for (const { storage } of bound.uploads) storage.host = undefined;
    commit();
    return;
  }
  const running = execute(bound);
  commit();
  const ready = running.then(
    () => outputs.forEach((storage) => (storage.ready = undefined)),
    (error: unknown) => {
      revert();
      throw error;
    },
  );
  // Who reads a result is told; nobody else asks.
  ready.catch(() => undefined);
  for (const storage of outputs) storage.ready = ready;
}

/** Sends a request; data it uploads is kept on the host again should it fail. */
export async function execute({ request, uploads }: Bound): Promise<Response> {
  for (const { storage } of uploads) storage.host = undefined;
  try {
    return await engine().execute(request);
  } catch (error) {
    for (const { storage, host } of uploads) storage.host ??= host;
    throw error;
  }
}

/** Ends the engine with all its tensors hold; `init` may start another. */
export function shutdown(): void {
  forgetPending();
  stopEngine();
}

function readRequest(value: Value): Request {
  const { storage } = storedSource(value);
  const uploads = storage.host ? [{ handle: storage.handle, data: storage.host }] : [];
  return {
    frees: takeReleased(),
    writes: uploads,
    reads: [{ handle: storage.handle, bytes: value.bytes }],
  };
}

function arrayOf(value: Value, response: Response): TypedArray {
  return new dtypes[value.dtype].make(response.reads[0]!);
}

function hostContent(value: Value): TypedArray | undefined {
  if (value.source?.kind !== "stored") return undefined;
  const { host } = currentStorage(value);
  return host && new dtypes[value.dtype].make(host);
}

function isOwnHostData(value: Value): boolean {
  return value.source?.kind === "stored" && !value.variable && !!value.source.storage.host;
}

/** The buffer of a leaf, if it still holds what was recorded. */
export function currentStorage(leaf: Value): Storage {
  const { storage, version } = storedSource(leaf);
  const name = leaf.variable?.name ?? "";
  const what = `${name && `${name} `}${formatShape(leaf.shape)} ${leaf.dtype}`;
  if (storage.disposed) {
    throw new StateError(`${what} was disposed: keep it until everything that reads it is read`);
  }
  if (storage.version !== version) {
    throw new StateError(
      `${what} has been updated since this was recorded: ` +
        "read results before the update that follows, or record them again",
    );
  }
  return storage;
}

function storedSource(value: Value): { storage: Storage; version: number } {
  const { source } = value;
  if (source?.kind === "stored") return source;
  throw new StateError(
    `a tensor ${formatShape(value.shape)} of a function being compiled cannot be read inside it: ` +
      "return it from the function",
  );
}
