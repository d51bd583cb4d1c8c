/** `zk quota`: the limits of a subtree, and its use. */
import { NoNode } from "@effect-zookeeper/client/Errors"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Output from "../../Output.ts"
import * as Quota from "../../Quota.ts"
import { Client, type Reader } from "../frame/Client.ts"
import { printOne } from "../output/Printer.ts"
import { shown, table } from "../output/text.ts"

export interface Input {
  readonly path: string
}

/** The znodes of quotas are beside the chroot, not below it: `zk` sees the root of the servers. */
export const quota = Effect.fnUntraced(function* (input: Input) {
  yield* Effect.fromResult(ZnodePath.validate(input.path))
  const { chroot, zk } = yield* (yield* Client).rootReader
  yield* printQuota(yield* readQuota(zk, chroot, input.path))
})

/** By the path below the chroot. */
export const readQuota = Effect.fnUntraced(function* (zk: Reader, chroot: string, path: string) {
  const at = ZnodePath.toServer(chroot, path)
  const read = (znode: string) =>
    Effect.map(zk.getData(znode), (data) => Quota.parse(new TextDecoder().decode(data))).pipe(
      Effect.catchTag("NoNode", () => new NoNode({ path, operation: "quota" }))
    )
  const limits = yield* read(Quota.limitsPath(at))
  const stats = yield* read(Quota.statsPath(at))
  return { path, limits: defined(limits), use: { count: stats.count ?? 0, bytes: stats.bytes ?? 0 } }
})

export const printQuota = (value: typeof Output.Quota.Type) =>
  printOne(Output.Quota, value, ({ limits, path, use }) =>
    table([
      [shown(path), "USE", "LIMIT", "HARD LIMIT"],
      ["znodes", String(use.count), limit(limits.count), limit(limits.hardCount)],
      ["bytes", String(use.bytes), limit(limits.bytes), limit(limits.hardBytes)]
    ])
  )

// ---- internal

const limit = (value: number | undefined): string => (value === undefined ? "-" : String(value))

const defined = (limits: Quota.Limits): (typeof Output.Quota.Type)["limits"] =>
  Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined))
