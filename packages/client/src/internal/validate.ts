/**
 * The rules for arguments, checked before a byte is sent.
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import * as CreateMode from "@effect-zookeeper/protocol/CreateMode"
import { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { isBytes } from "../Bytes.ts"
import type { Data, ZnodeOptions } from "../Models.ts"
import type { View } from "./View.ts"

/** A create whose arguments have been checked. `sendCreate` chooses the operation for its mode. */
export interface PreparedCreate {
  /** As the caller gave it. */
  readonly path: string
  readonly mode: CreateMode.CreateMode
  readonly request: {
    readonly path: string
    readonly data: Uint8Array | null
    readonly acl: ReadonlyArray<Acl.Acl>
    readonly flags: number
  }
  /** Milliseconds, for the modes that have one. */
  readonly ttl: bigint
}

const utf8 = new TextEncoder()

export const invalid = (argument: string, value: unknown, rule: string): InvalidArgument =>
  new InvalidArgument({ argument, value: String(value), rule })

/** The bytes of data, or undefined for a value that is neither bytes nor text. */
export const encodeData = (data: Data): Uint8Array | undefined =>
  typeof data === "string" ? utf8.encode(data) : isBytes(data) ? data : undefined

export const badData = (data: unknown, argument = "data"): InvalidArgument =>
  invalid(argument, describe(data), "data must be a Uint8Array or a string")

/**
 * Whether it is a signed 32-bit integer; -1 is any version. The counter wraps: after 2^31 writes the versions of a znode
 * are negative.
 */
export const isVersion = (version: number): boolean => Number.isInteger(version) && version === (version | 0)

export const badVersion = (version: number, argument = "version"): InvalidArgument =>
  invalid(argument, version, "a version must be a 32-bit integer; -1 is any version")

/** The rule that a version breaks, if any. */
export const checkVersion = (version: number): InvalidArgument | undefined =>
  isVersion(version) ? undefined : badVersion(version)

/** The name of an argument. In a transaction it has the index of its operation: "ops[2].path". */
export const argumentOf = (index: number | undefined, name: string): string =>
  index === undefined ? name : `ops[${index}].${name}`

/** The error for a value that `transaction` and `read` do not take. */
export const notAnArray = (example: string): InvalidArgument =>
  invalid("ops", "not an array", `must be an array of operations, as in [${example}]`)

export const notAnOperation = (index: number, method: string, makers: ReadonlyArray<string>): InvalidArgument =>
  invalid(`ops[${index}]`, "not an operation", `${method} takes operations that ${makers.join(", ")} make`)

/**
 * Checks the arguments of a create. `index` is that of the operation, if they belong to a transaction.
 */
export const prepareCreate = (
  view: View,
  path: string,
  options: ZnodeOptions,
  index?: number
): PreparedCreate | InvalidArgument => {
  const mode = createMode(options, index)
  if (typeof mode !== "string") return mode
  const request = createRequest(view, path, options, mode, index)
  if (isInvalid(request)) return request
  const ttl = createTtl(options, mode, index)
  return typeof ttl === "bigint" ? { path, mode, request, ttl } : ttl
}

export const createMode = (
  options: ZnodeOptions,
  index: number | undefined
): CreateMode.CreateMode | InvalidArgument => {
  const mode = options.mode ?? "persistent"
  return mode === "persistent" || CreateMode.isCreateMode(mode)
    ? mode
    : invalid(argumentOf(index, "mode"), mode, `a mode must be one of ${CreateMode.all.join(", ")}`)
}

/** The request, which is the same for every mode. It is on the path of every create, so that it allocates nothing else. */
export const createRequest = (
  view: View,
  path: string,
  options: ZnodeOptions,
  mode: CreateMode.CreateMode,
  index: number | undefined
): PreparedCreate["request"] | InvalidArgument => {
  const sequential = CreateMode.isSequential(mode)
  const rule = sequential ? ZnodePath.checkSequential(path) : ZnodePath.check(path)
  if (rule !== undefined) return invalid(argumentOf(index, "path"), path, rule)
  const data = options.data === undefined ? null : encodeData(options.data)
  if (data === undefined) return badData(options.data, argumentOf(index, "data"))
  let acl = view.defaultAcl
  if (options.acl !== undefined) {
    const validated = Acl.validate(options.acl, argumentOf(index, "acl"))
    if (Result.isFailure(validated)) return validated.failure
    acl = validated.success
  }
  const server = sequential ? ZnodePath.toServerSequential(view.chroot, path) : ZnodePath.toServer(view.chroot, path)
  return { path: server, data, acl, flags: CreateMode.flags[mode] }
}

/** The time to live in milliseconds; 0 for the modes without one. */
export const createTtl = (
  options: ZnodeOptions,
  mode: CreateMode.CreateMode,
  index: number | undefined
): bigint | InvalidArgument =>
  options.ttl === undefined && !CreateMode.hasTtl(mode) ? 0n : prepareTtl(mode, options.ttl, argumentOf(index, "ttl"))

const prepareTtl = (
  mode: CreateMode.CreateMode,
  ttl: Duration.Input | undefined,
  argument: string
): bigint | InvalidArgument => {
  if (!CreateMode.hasTtl(mode)) {
    return invalid(argument, describe(ttl), `the mode ${mode} takes no ttl; only modes with a time to live do`)
  }
  if (ttl === undefined) return invalid(argument, ttl, `the mode ${mode} needs a ttl`)
  const duration = Duration.fromInput(ttl)
  if (Option.isNone(duration))
    return invalid(argument, describe(ttl), 'a ttl must be a duration, such as "10 minutes" or milliseconds')
  const millis = CreateMode.validateTtl(Duration.toMillis(duration.value), argument)
  return Result.isFailure(millis) ? millis.failure : BigInt(millis.success)
}

/**
 * A copy of a create that may be sent again after an answer: the caller may have changed its bytes and arrays by then. Text
 * was encoded for this create alone, and the default ACL belongs to the client.
 */
export const ownCopy = (view: View, create: PreparedCreate, options: ZnodeOptions): PreparedCreate => {
  const { acl, data } = create.request
  const isOwn = data === null || typeof options.data === "string"
  return {
    ...create,
    request: {
      ...create.request,
      data: isOwn ? data : new Uint8Array(data),
      acl: acl === view.defaultAcl ? acl : copyAcl(acl)
    }
  }
}

/** The ACL of a call, checked and copied, because it is sent after a look or a refusal; the default of the client if it has none. */
export const ownAcl = (
  view: View,
  acl: ReadonlyArray<Acl.Acl> | undefined,
  argument: string
): ReadonlyArray<Acl.Acl> | InvalidArgument => {
  if (acl === undefined) return view.defaultAcl
  const validated = Acl.validate(acl, argument)
  return Result.isFailure(validated) ? validated.failure : copyAcl(validated.success)
}

/** A copy of an ACL that has been checked. */
export const copyAcl = (acl: ReadonlyArray<Acl.Acl>): ReadonlyArray<Acl.Acl> =>
  acl.map(({ id, perms, scheme }) => ({ perms, scheme, id }))

/** Whether arguments were refused. A request has no `_tag`, and looking for that is cheaper than `instanceof`. */
export const isInvalid = <A extends object>(prepared: A | InvalidArgument): prepared is InvalidArgument =>
  "_tag" in prepared

/** Names a value in an error without its contents, which may be long or secret. */
const describe = (value: unknown): string =>
  typeof value === "object" && value !== null ? (value.constructor?.name ?? "object") : String(value)
