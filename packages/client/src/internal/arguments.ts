/**
 * What arguments must be, checked before a byte is sent.
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import * as CreateMode from "@effect-zookeeper/protocol/CreateMode"
import { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Data, ZnodeOptions } from "../Models.ts"
import type { View } from "./View.ts"

/** A create that may be sent: only `sendCreate` knows by which operation. */
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

/** The bytes of data, or undefined for what is no data. */
export const encodeData = (data: Data): Uint8Array | undefined =>
  typeof data === "string" ? utf8.encode(data) : isBytes(data) ? data : undefined

/** Of another realm too, as test runners have them. */
const isBytes = (data: unknown): data is Uint8Array =>
  data instanceof Uint8Array ||
  (ArrayBuffer.isView(data) && Object.prototype.toString.call(data) === "[object Uint8Array]")

export const badData = (data: unknown, argument = "data"): InvalidArgument =>
  invalid(argument, describe(data), "data must be a Uint8Array or a string")

/**
 * Whether it is -1, which is any version, or what a signed 32-bit counter can be. It wraps: after 2^31 writes the versions
 * of a znode are negative.
 */
export const isVersion = (version: number): boolean => Number.isInteger(version) && version === (version | 0)

export const badVersion = (version: number, argument = "version"): InvalidArgument =>
  invalid(argument, version, "a version must be an integer of 32 bits; -1 is for any")

/** The rule that a version breaks, if any. */
export const checkVersion = (version: number): InvalidArgument | undefined =>
  isVersion(version) ? undefined : badVersion(version)

/** The name of an argument, of an operation of a transaction where that is where it stands: "ops[2].path". */
export const argumentOf = (index: number | undefined, name: string): string =>
  index === undefined ? name : `ops[${index}].${name}`

/** `index` is that of the operation of a transaction that the arguments belong to. */
export const prepareCreate = (
  view: View,
  path: string,
  options: ZnodeOptions,
  index?: number
): Result.Result<PreparedCreate, InvalidArgument> => {
  const mode = options.mode ?? "persistent"
  if (!CreateMode.isCreateMode(mode)) {
    return Result.fail(invalid(argumentOf(index, "mode"), mode, `a mode must be one of ${CreateMode.all.join(", ")}`))
  }
  const sequential = CreateMode.isSequential(mode)
  const rule = sequential ? ZnodePath.checkSequential(path) : ZnodePath.check(path)
  if (rule !== undefined) return Result.fail(invalid(argumentOf(index, "path"), path, rule))
  const data = options.data === undefined ? null : encodeData(options.data)
  if (data === undefined) return Result.fail(badData(options.data, argumentOf(index, "data")))
  let acl = view.defaultAcl
  if (options.acl !== undefined) {
    const judged = Acl.validate(options.acl, argumentOf(index, "acl"))
    if (Result.isFailure(judged)) return Result.fail(judged.failure)
    acl = judged.success
  }
  const ttl =
    mode === "persistent" && options.ttl === undefined ? noTtl : prepareTtl(mode, options.ttl, argumentOf(index, "ttl"))
  if (Result.isFailure(ttl)) return Result.fail(ttl.failure)
  const server = sequential ? ZnodePath.toServerSequential(view.chroot, path) : ZnodePath.toServer(view.chroot, path)
  return Result.succeed({
    path,
    mode,
    request: { path: server, data, acl, flags: CreateMode.flags[mode] },
    ttl: ttl.success
  })
}

const noTtl = Result.succeed(0n)

const prepareTtl = (
  mode: CreateMode.CreateMode,
  ttl: Duration.Input | undefined,
  argument: string
): Result.Result<bigint, InvalidArgument> => {
  if (!CreateMode.hasTtl(mode)) {
    return ttl === undefined
      ? Result.succeed(0n)
      : Result.fail(invalid(argument, describe(ttl), `only the modes with a time to live take a ttl, not ${mode}`))
  }
  if (ttl === undefined) return Result.fail(invalid(argument, ttl, `the mode ${mode} needs a ttl`))
  const duration = Duration.fromInput(ttl)
  if (Option.isNone(duration)) return Result.fail(invalid(argument, describe(ttl), "a ttl must be a duration"))
  return Result.map(CreateMode.validateTtl(Duration.toMillis(duration.value), argument), BigInt)
}

/** Names a value in an error without printing what may be long or secret. */
const describe = (value: unknown): string =>
  typeof value === "object" && value !== null ? (value.constructor?.name ?? "object") : String(value)
