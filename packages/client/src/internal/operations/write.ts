/**
 * The methods that change the data or the ACL of a znode.
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { BadVersion } from "@effect-zookeeper/protocol/ServerError"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { SetAclError, SetDataError } from "../../Errors.ts"
import type { Data, Stat, UpdateOptions } from "../../Models.ts"
import type { Service } from "../../Service.ts"
import { unexpectedBadVersion } from "../replyErrors.ts"
import { badData, checkVersion, encodeData } from "../validate.ts"
import { retryBadVersion } from "../retryBadVersion.ts"
import { readAfterCommit, sameData } from "./create.ts"
import { setAclOptions, setDataOptions, updateOptions } from "../methodOptions.ts"
import { writeDurably, type Fate } from "./durableWrite.ts"
import { readNode } from "./read.ts"
import { send, sendAndTransform, withPath } from "../View.ts"
import type { View } from "../View.ts"

export const makeWrite = (view: View): Pick<Service, "set" | "setData" | "update" | "setAcl"> => ({
  set: (path, data, version) => setData(view, path, data, version, false),
  setData: (path, data, options) => {
    const mistake = KnownOptions.check(setDataOptions, options)
    return mistake === undefined
      ? setData(view, path, data, options?.version, options?.idempotent === true)
      : Effect.fail(mistake)
  },
  update: (path, f, options) => {
    const mistake = KnownOptions.check(updateOptions, options)
    return mistake === undefined ? update(view, path, f, options) : Effect.fail(mistake)
  },
  setAcl: (path, acl, options) => {
    const mistake = KnownOptions.check(setAclOptions, options)
    return mistake === undefined ? setAcl(view, path, acl, options?.version) : Effect.fail(mistake)
  }
})

const setData = (
  view: View,
  path: string,
  data: Data,
  version: number | undefined,
  idempotent: boolean
): Effect.Effect<Stat, SetDataError> => {
  const bytes = encodeData(data)
  if (bytes === undefined) return Effect.fail(badData(data))
  const error = version === undefined ? undefined : checkVersion(version)
  if (error !== undefined) return Effect.fail(error)
  return withPath(view, path, (server) => {
    const expected = version ?? view.versions?.data(server) ?? -1
    return idempotent
      ? // A copy, because it may be sent again long after the call.
        setIdempotently(view, server, path, new Uint8Array(bytes), expected)
      : sendSet(view, server, path, bytes, expected)
  })
}

/** Writes data that has been checked. */
export const sendSet = (view: View, server: string, path: string, data: Uint8Array, version: number) => {
  const { versions } = view
  const into =
    versions === undefined
      ? toStat
      : ({ stat }: { readonly stat: Stat }): Stat => {
          versions.rememberData(server, stat.version)
          return stat
        }
  return sendAndTransform(view, Operations.setData, { path: server, data, version }, path, into)
}

const toStat = ({ stat }: { readonly stat: Stat }): Stat => stat

const setIdempotently = (
  view: View,
  server: string,
  path: string,
  data: Uint8Array,
  version: number
): Effect.Effect<Stat, SetDataError> =>
  writeDurably<Stat, SetDataError>(view, {
    operation: Operations.setData.name,
    path,
    attempt: () => sendSet(view, server, path, data, version),
    isAmbiguous: ({ _tag }) => _tag === "BadVersion",
    findFate: Effect.fnUntraced(function* (failure, lost): Effect.fn.Return<Fate<Stat>, SetDataError> {
      if (failure._tag === "BadVersion" && version === -1) return yield* unexpectedBadVersion(failure)
      const there = yield* Effect.catchTag(readAfterCommit(view, server, path), ["NoNode", "NoAuth"], () =>
        Effect.fail(lost)
      )
      const written = sameData(there.data, data)
      if (version === -1 ? written : written && there.stat.version === next(version)) {
        view.versions?.rememberData(server, there.stat.version)
        return { _tag: "Applied", value: there.stat }
      }
      if (version === -1) return { _tag: "Unknown" }
      // The znode still has the expected version, so the write was not applied and may be sent again.
      if (there.stat.version === version) return { _tag: "Unapplied" }
      // The next version with other data is a write of another client. At a later version, our write may have come first.
      return yield* Effect.fail(
        there.stat.version === next(version) ? new BadVersion({ path, operation: "setData" }) : lost
      )
    })
  })

/** The version after this one; it wraps, as the 32-bit integers of servers do. */
const next = (version: number): number => (version + 1) | 0

// -----------------------------------------------------------------------------
// compare and set
// -----------------------------------------------------------------------------

const update = (
  view: View,
  path: string,
  f: Parameters<Service["update"]>[1],
  options: UpdateOptions = {}
): Effect.Effect<Stat, SetDataError> =>
  withPath(view, path, (server) => {
    const once = Effect.flatMap(readNode(view, server, path), (current): Effect.Effect<Stat, SetDataError> => {
      const data = f(current)
      const bytes = encodeData(data)
      return bytes === undefined ? Effect.fail(badData(data)) : sendSet(view, server, path, bytes, current.stat.version)
    })
    return retryBadVersion(once, options.retry)
  })

// -----------------------------------------------------------------------------
// ACL
// -----------------------------------------------------------------------------

const setAcl = (
  view: View,
  path: string,
  acl: ReadonlyArray<Acl.Acl>,
  version: number | undefined
): Effect.Effect<Stat, SetAclError> => {
  const judged = Acl.validate(acl)
  if (Result.isFailure(judged)) return Effect.fail(judged.failure)
  const error = version === undefined ? undefined : checkVersion(version)
  if (error !== undefined) return Effect.fail(error)
  return withPath(view, path, (server) => {
    const { versions } = view
    const request = { path: server, acl, version: version ?? versions?.acl(server) ?? -1 }
    return Effect.map(send(view, Operations.setACL, request, path), ({ stat }): Stat => {
      versions?.rememberAcl(server, stat.aversion)
      return stat
    })
  })
}
