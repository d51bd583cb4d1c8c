/**
 * The error codes of ZooKeeper, by number and by name.
 *
 * @since 0.1.0
 */

/**
 * Every code that servers and the official clients know. Reply headers and results of transactions have these numbers.
 *
 * @category constants
 * @since 0.1.0
 */
export const codes = {
  Ok: 0,
  SystemError: -1,
  RuntimeInconsistency: -2,
  DataInconsistency: -3,
  ConnectionLoss: -4,
  MarshallingError: -5,
  Unimplemented: -6,
  OperationTimeout: -7,
  BadArguments: -8,
  InvalidState: -9,
  UnknownSession: -12,
  NewConfigNoQuorum: -13,
  ReconfigInProgress: -14,
  APIError: -100,
  NoNode: -101,
  NoAuth: -102,
  BadVersion: -103,
  NoChildrenForEphemerals: -108,
  NodeExists: -110,
  NotEmpty: -111,
  SessionExpired: -112,
  InvalidCallback: -113,
  InvalidACL: -114,
  AuthFailed: -115,
  Closing: -116,
  Nothing: -117,
  SessionMoved: -118,
  NotReadOnly: -119,
  EphemeralOnLocalSession: -120,
  NoWatcher: -121,
  /** Since ZooKeeper 3.5.5. */
  RequestTimeout: -122,
  /** Since ZooKeeper 3.5.3. */
  ReconfigDisabled: -123,
  /** Since ZooKeeper 3.5.9 and 3.6.0: any required authentication is missing, whatever the name says. */
  SessionClosedRequireSaslAuth: -124,
  /** Since ZooKeeper 3.7.0. */
  QuotaExceeded: -125,
  /** Since ZooKeeper 3.7.0. */
  ThrottledOp: -127
} as const

/**
 * The name of a code, as in `answerWith` of the embedded server.
 *
 * @category models
 * @since 0.1.0
 */
export type ErrorName = keyof typeof codes

/**
 * The name of a code; `Unknown(<code>)` for a code that no release of ZooKeeper has.
 *
 * @category getters
 * @since 0.1.0
 */
export const nameOf = (code: number): string => names.get(code) ?? `Unknown(${code})`

const names: ReadonlyMap<number, string> = new Map(Object.entries(codes).map(([name, code]) => [code, name]))

/** Failures within a server, which can happen before or after a write is applied. */
const failures: ReadonlySet<number> = new Set([
  codes.SystemError,
  codes.RuntimeInconsistency,
  codes.DataInconsistency,
  codes.ConnectionLoss,
  codes.MarshallingError,
  codes.OperationTimeout,
  codes.APIError,
  codes.RequestTimeout
])

/**
 * Whether a server that answers with this code has certainly not applied the write. It is false for a failure within the
 * server, and for a code that no release of ZooKeeper has: there the write may have been applied.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isRefusal = (code: number): boolean => names.has(code) && !failures.has(code)
