/** One znode, live, with its data and its ACL. */
import type * as Acl from "@effect-zookeeper/client/Acl"
import type { ReadError } from "@effect-zookeeper/client/Errors"
import type { Stat } from "@effect-zookeeper/client/Models"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { Service } from "@effect-zookeeper/client/Service"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Format } from "../../Format.ts"
import type { ZnodeEvent } from "../../Models.ts"
import type { ReadFailure } from "../../ProtocolError.ts"
import { shownAcl } from "../edits/acl.ts"
import { toReadFailure } from "../failures.ts"
import { touches } from "../touches.ts"

export const znodeEvents = (
  zk: Service,
  path: string,
  limit: number,
  formats: ReadonlyArray<Format> = []
): Stream.Stream<ZnodeEvent, ReadFailure> => {
  const format = formats.find(({ matches }) => matches(path))
  let before: State | undefined
  return touches(zk, path).pipe(
    Stream.mapEffect(({ afterGap }) =>
      Effect.gen(function* (): Effect.fn.Return<ReadonlyArray<ZnodeEvent>, ReadError> {
        const state = yield* Outcome.retryAcrossSessions(zk.session, read(zk, path))
        if (before !== undefined && !afterGap && isSame(before, state)) return []
        before = state
        const time = yield* Clock.currentTimeMillis
        const event = describe(state, limit, time, afterGap)
        if (format === undefined || event._tag === "gone" || event.data === undefined || event.isTruncated)
          return [event]
        return [{ ...event, formatted: yield* formatWith(format, path, event.data) }]
      })
    ),
    Stream.flattenIterable,
    Stream.mapError(toReadFailure)
  )
}

// ---- internal

interface State {
  /** Undefined where there is none. */
  readonly stat: Stat | undefined
  /** Undefined where the ACL forbids to read it. */
  readonly data: Uint8Array | undefined
  readonly acl: ReadonlyArray<Acl.Acl> | undefined
}

const gone: State = { stat: undefined, data: undefined, acl: undefined }

const read = Effect.fnUntraced(function* (zk: Service, path: string): Effect.fn.Return<State, ReadError> {
  const found = yield* Effect.catchTags(zk.get(path), {
    NoAuth: () => Effect.succeed(undefined),
    NoNode: () => Effect.succeed(gone)
  })
  const acl = yield* Effect.catchTags(zk.getAcl(path), {
    NoAuth: () => Effect.succeed(undefined),
    NoNode: () => Effect.succeed(undefined)
  })
  if (found !== undefined) return { stat: found.stat, data: found.data, acl: acl?.acl }
  // To look at a stat needs no permission with most servers.
  const stat = yield* zk.stat(path)
  return { stat: Option.getOrUndefined(stat), data: undefined, acl: acl?.acl }
})

type Formatted = NonNullable<Extract<ZnodeEvent, { readonly _tag: "present" }>["formatted"]>

/** An error that the application throws is shown as well. */
const formatWith = ({ name, show }: Format, path: string, data: Uint8Array): Effect.Effect<Formatted> =>
  Effect.suspend(() => show(path, data)).pipe(
    Effect.map((text) => ({ format: name, text })),
    Effect.catch(({ message }) => Effect.succeed({ format: name, problem: message })),
    Effect.catchDefect((defect) => Effect.succeed({ format: name, problem: String(defect) }))
  )

const isSame = ({ stat: a }: State, { stat: b }: State): boolean =>
  a === undefined || b === undefined
    ? a === b
    : a.czxid === b.czxid && a.mzxid === b.mzxid && a.pzxid === b.pzxid && a.aversion === b.aversion

const describe = ({ acl, data, stat }: State, limit: number, time: number, afterGap: boolean): ZnodeEvent =>
  stat === undefined
    ? { _tag: "gone", time, afterGap }
    : {
        _tag: "present",
        time,
        stat,
        ...(data === undefined ? {} : { data: data.length > limit ? data.subarray(0, limit) : data }),
        isTruncated: data !== undefined && data.length > limit,
        ...(acl === undefined ? {} : { acl: shownAcl(acl) }),
        afterGap
      }
