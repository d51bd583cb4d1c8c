/** Checks of quotas: subtrees that have used up what they may have, and quotas of nothing. */
import { NoAuth, NoNode } from "@effect-zookeeper/client/Errors"
import type { ReadError } from "@effect-zookeeper/client/Errors"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Quota from "../../Quota.ts"
import * as TreeWalk from "../../TreeWalk.ts"
import type { Reader } from "../frame/Client.ts"
import { ofData, size } from "../output/text.ts"
import type { Finding } from "./examination.ts"

/**
 * Looks at each quota that is set at `path` or below, or above it. `zk` sees the root of the servers, where quotas are kept, and
 * `chroot` is the root of the command there.
 */
export const checkQuotas = Effect.fnUntraced(function* (
  zk: Reader,
  chroot: string,
  path: string
): Effect.fn.Return<ReadonlyArray<Finding>, ReadError> {
  const at = ZnodePath.toServer(chroot, path)
  const isNear = (owner: string) => ZnodePath.isUnder(at, owner) || ZnodePath.isUnder(owner, at)
  const owners = TreeWalk.walk(zk, quotas).pipe(
    Stream.filter((znode) => ZnodePath.name(znode.path) === ZnodePath.name(Quota.limitsPath("/"))),
    Stream.map((znode) => (ZnodePath.parent(znode.path) ?? "").slice(quotas.length)),
    Stream.filter((owner) => owner !== "" && isNear(owner)),
    Stream.runCollect
  )
  const found = yield* Effect.forEach(
    yield* orWithout(owners, []),
    (owner) => checkQuota(zk, owner, ZnodePath.toClient(chroot, owner) ?? owner),
    {
      concurrency: 64
    }
  )
  return found.flat()
})

// ---- internal

const quotas = "/zookeeper/quota"

/** Quotas come and go, and an ACL may keep them from the command. */
const orWithout = <A, E, R>(effect: Effect.Effect<A, E, R>, otherwise: A) =>
  Effect.catchIf(
    effect,
    (error): error is Extract<E, NoAuth | NoNode> => error instanceof NoAuth || error instanceof NoNode,
    () => Effect.succeed(otherwise)
  )

/** `where` is the path for people. */
const checkQuota = (zk: Reader, owner: string, where: string) => orWithout(lookAtQuota(zk, owner, where), [])

const lookAtQuota = (zk: Reader, owner: string, where: string): Effect.Effect<ReadonlyArray<Finding>, ReadError> =>
  Effect.gen(function* () {
    const read = (znode: string) => Effect.map(zk.getData(znode), (data) => Quota.parse(new TextDecoder().decode(data)))
    const limits = yield* read(Quota.limitsPath(owner))
    if (Option.isNone(yield* zk.stat(owner))) {
      return [
        {
          severity: "note",
          check: "quotas",
          where,
          message: "it has a quota, and does not exist",
          advice: "remove the quota with zk quota rm, unless the znode comes again"
        } satisfies Finding
      ]
    }
    const use = yield* read(Quota.statsPath(owner))
    return [
      ...compare(where, "znodes", use.count ?? 0, limits.count, limits.hardCount, String),
      ...compare(where, "bytes", use.bytes ?? 0, limits.bytes, limits.hardBytes, size)
    ]
  })

/** The part of a hard limit from which it is worth a warning. */
const near = 0.9

const compare = (
  where: string,
  unit: "znodes" | "bytes",
  use: number,
  limit: number | undefined,
  hard: number | undefined,
  shownAs: (value: number) => string
): ReadonlyArray<Finding> => {
  const used = `it has ${unit === "bytes" ? ofData(use) : `${use} ${unit}`}`
  const advice = `delete what is not needed, or raise the limit with zk quota set`
  if (hard !== undefined && use >= hard * near) {
    const isUsedUp = use >= hard
    return [
      {
        severity: isUsedUp ? "error" : "warning",
        check: "quotas",
        where,
        message: `${used}, ${isUsedUp ? "and its hard limit is" : "near its hard limit of"} ${shownAs(hard)}: servers with enforceQuota refuse more`,
        advice
      }
    ]
  }
  return limit !== undefined && use > limit
    ? [{ severity: "warning", check: "quotas", where, message: `${used}, and its quota is ${shownAs(limit)}`, advice }]
    : []
}
