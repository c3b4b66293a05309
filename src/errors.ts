/** Base of every error that Ferrograd throws on purpose. */
export class FerrogradError extends Error {
  override name = "FerrogradError";
}

/** Operands whose shapes do not fit the op or layer named in the message. */
export class ShapeError extends FerrogradError {
  override name = "ShapeError";
}

/** Operands whose dtype the op or layer named in the message does not take. */
export class DTypeError extends FerrogradError {
  override name = "DTypeError";
}

/** An argument or option outside what it may be. */
export class ArgumentError extends FerrogradError {
  override name = "ArgumentError";
}

/** An index in a tensor's data (a token id, a label) outside what it points into. */
export class IndexError extends FerrogradError {
  override name = "IndexError";
}

/** A call out of order: `fit` before `compile`, reading before `init`, a tensor used after `dispose`. */
export class StateError extends FerrogradError {
  override name = "StateError";
}

/** Data that cannot be used: ragged rows, an empty dataset, an unreadable or corrupt file. */
export class DataError extends FerrogradError {
  override name = "DataError";
}

/** A loss or value that became NaN or infinite. */
export class NonFiniteError extends FerrogradError {
  override name = "NonFiniteError";
}

/** The engine's memory does not suffice; nothing of the refused run has happened. */
export class OutOfMemoryError extends FerrogradError {
  override name = "OutOfMemoryError";
}

/** A worker thread died; the engine has replaced it, and the call that was under way failed. */
export class WorkerDiedError extends FerrogradError {
  override name = "WorkerDiedError";
}

const kinds = {
  FerrogradError,
  ShapeError,
  DTypeError,
  ArgumentError,
  IndexError,
  StateError,
  DataError,
  NonFiniteError,
  OutOfMemoryError,
  WorkerDiedError,
};

/** What an error says, whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An error as plain data, to cross a thread without losing its class. */
export interface ErrorMessage {
  readonly kind: string;
  readonly message: string;
  readonly stack: string | undefined;
}

/** `error` as plain data. */
export function packError(error: unknown): ErrorMessage {
  return error instanceof Error
    ? { kind: error.name, message: error.message, stack: error.stack }
    : { kind: "Error", message: String(error), stack: undefined };
}

/** The error that `packError` packed, of the same class where it is one of ours. */
export function unpackError({ kind, message, stack }: ErrorMessage): Error {
  const known = Object.entries(kinds).find(([name]) => name === kind);
  const error = known ? new known[1](message) : new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
