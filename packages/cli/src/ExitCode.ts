/**
 * The exit codes of `zk`, and the code for each error of the client.
 *
 * Scripts can rely on them: a code has one meaning for all commands.
 *
 * @since 0.1.0
 */

/**
 * The codes by name.
 *
 * - `usage` (2): a mistake on the command line, in the environment or in the profile; nothing was sent.
 * - `noNode` (3): the znode does not exist.
 * - `conflict` (4): the znode exists already, has children, has another version, or would exceed a quota.
 * - `unreachable` (5): no server answered, or none that can serve the request.
 * - `notPermitted` (6): an ACL, the credentials or `--read-only` forbid it.
 * - `lost` (7): the session or the hold ended while the command ran.
 * - `timeout` (124): the command took longer than `--timeout`, or the hold was not acquired within `--wait`.
 * - `failed` (1): an error that has no code of its own.
 *
 * @category codes
 * @since 0.1.0
 */
export const codes = {
  ok: 0,
  failed: 1,
  usage: 2,
  noNode: 3,
  conflict: 4,
  unreachable: 5,
  notPermitted: 6,
  lost: 7,
  timeout: 124
} as const

/**
 * One of {@link codes}.
 *
 * @category codes
 * @since 0.1.0
 */
export type ExitCode = (typeof codes)[keyof typeof codes]

/**
 * The exit code for an error, by its `_tag`. An error that is not known is `failed`.
 *
 * A transaction that failed has the code of the error of its failed operation.
 *
 * @example
 * ```ts
 * import * as ExitCode from "@effect-zookeeper/cli/ExitCode"
 * import { NoNode } from "@effect-zookeeper/client"
 *
 * ExitCode.of(new NoNode({ path: "/a", operation: "getData" })) // 3
 * ```
 *
 * @category codes
 * @since 0.1.0
 */
export const of = (error: unknown): ExitCode => {
  if (typeof error !== "object" || error === null || !("_tag" in error)) return codes.failed
  if (error._tag === "TransactionFailed" && "error" in error) return of(error.error)
  if (error._tag === "ServerRefused" && "name" in error) return byRefusal[String(error.name)] ?? codes.failed
  if (error._tag === "FourLetterWordError" && "reason" in error) return byReason[String(error.reason)] ?? codes.failed
  return byTag[String(error._tag)] ?? codes.failed
}

// ---- internal

const byTag: Readonly<Record<string, ExitCode>> = {
  InvalidArgument: codes.usage,
  UsageError: codes.usage,
  ShowHelp: codes.usage,
  NoNode: codes.noNode,
  NoChroot: codes.noNode,
  NodeExists: codes.conflict,
  BadVersion: codes.conflict,
  NotEmpty: codes.conflict,
  NoChildrenForEphemerals: codes.conflict,
  QuotaExceeded: codes.conflict,
  Conflict: codes.conflict,
  ReconfigInProgress: codes.conflict,
  NewConfigNoQuorum: codes.conflict,
  ConnectFailed: codes.unreachable,
  ConnectionLoss: codes.unreachable,
  NoMemberReached: codes.unreachable,
  TransportError: codes.unreachable,
  NoAuth: codes.notPermitted,
  AuthFailed: codes.notPermitted,
  ReadOnlyMode: codes.notPermitted,
  Incomplete: codes.notPermitted,
  MaskedAcl: codes.notPermitted,
  SessionExpired: codes.lost,
  SessionClosed: codes.lost,
  OwnershipLost: codes.lost,
  LockLost: codes.lost,
  HoldUncertain: codes.lost,
  LockTimeout: codes.timeout,
  PermitsMismatch: codes.conflict,
  RequestTimeout: codes.timeout,
  TimedOut: codes.timeout
}

const byRefusal: Readonly<Record<string, ExitCode>> = {
  NotReadOnly: codes.unreachable,
  SessionMoved: codes.lost,
  SessionClosedRequireSaslAuth: codes.notPermitted
}

/** Reasons of four-letter words without an answer. */
const byReason: Readonly<Record<string, ExitCode>> = {
  NotAllowed: codes.notPermitted,
  NotServing: codes.unreachable,
  NoAnswer: codes.unreachable,
  Foreign: codes.unreachable,
  Timeout: codes.unreachable
}
