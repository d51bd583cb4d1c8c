/**
 * Puts the methods of a view together.
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import type { Session } from "@effect-zookeeper/session/Session"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ClientOptions, Service } from "../Service.ts"
import { makeCreate } from "./operations/create.ts"
import { makeDelete } from "./operations/delete.ts"
import { makeRead } from "./operations/read.ts"
import { makeReconfig } from "./operations/reconfig.ts"
import { makeTransaction } from "./operations/transaction.ts"
import { makeDeleteAll, makeTree } from "./operations/tree.ts"
import { makeVersionMemory } from "./versionMemory.ts"
import type { View } from "./View.ts"
import { makeWatch } from "./operations/watch.ts"
import { makeWrite } from "./operations/write.ts"

/** The client of a session. Its background fibers end with the Scope. */
export const makeClient = Effect.fnUntraced(function* (
  session: Session["Service"],
  options: ClientOptions
): Effect.fn.Return<Service, InvalidArgument, Scope.Scope> {
  const outer = yield* Effect.fromResult(ZnodePath.normalizeChroot(session.chroot, "servers"))
  const inner = yield* Effect.fromResult(ZnodePath.normalizeChroot(options.chroot ?? "", "chroot"))
  const defaultAcl =
    options.defaultAcl === undefined
      ? Acl.open
      : yield* Effect.fromResult(Acl.validate(options.defaultAcl, "defaultAcl"))
  const scope = yield* Effect.scope
  return makeService({ session, scope, chroot: outer + inner, defaultAcl, versions: undefined })
})

const makeService = (view: View): Service => ({
  ...makeCreate(view),
  ...makeTree(view),
  ...makeRead(view),
  ...makeWrite(view),
  ...makeDelete(view),
  ...makeDeleteAll(view),
  ...makeTransaction(view),
  ...makeWatch(view),
  ...makeReconfig(view),
  session: view.session.info,
  withChroot: (path) =>
    Effect.map(Effect.fromResult(ZnodePath.normalizeChroot(path, "path")), (inner) =>
      makeService({ ...view, chroot: view.chroot + inner })
    ),
  trackVersions: Effect.sync(() => makeService({ ...view, versions: makeVersionMemory(view.session.info) }))
})
