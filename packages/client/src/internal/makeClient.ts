/**
 * Puts the methods of a view together.
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import type { Session } from "@effect-zookeeper/session/Session"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Interceptor } from "../Interceptor.ts"
import type { ClientOptions, Service } from "../Service.ts"
import { followConfig } from "./followConfig.ts"
import { intercept } from "./intercept.ts"
import { makeCreate } from "./operations/create.ts"
import { makeDelete } from "./operations/delete.ts"
import { makeRead } from "./operations/read.ts"
import { makeReconfig } from "./operations/reconfig.ts"
import { makeTransaction } from "./operations/transaction.ts"
import { makeDeleteAll, makeTree } from "./operations/tree.ts"
import { copyAcl, invalid } from "./validate.ts"
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
  const mistake = mistakeIn(options) ?? (options.followConfig === true && session.usesTls ? plainPorts() : undefined)
  if (mistake !== undefined) return yield* mistake
  const defaultAcl =
    options.defaultAcl === undefined
      ? Acl.open
      : copyAcl(yield* Effect.fromResult(Acl.validate(options.defaultAcl, "defaultAcl")))
  const { interceptors = [] } = options
  const view: View = {
    session: interceptors.length === 0 ? session : intercept(session, interceptors),
    scope: yield* Effect.scope,
    chroot: outer + inner,
    defaultAcl,
    versions: undefined,
    following: { streams: 0 }
  }
  if (options.followConfig === true) yield* followConfig(makeService({ ...view, chroot: "" }))
  return makeService(view)
})

/** With TLS the next list could not be reached. */
const plainPorts = () =>
  invalid("followConfig", true, "the ensemble's configuration names the ports without TLS; leave one of the two out")

/** The rule that the options of the client break, as far as it can be known without a session. */
export const mistakeIn = (
  options: ClientOptions & { readonly servers?: unknown; readonly tls?: unknown }
): InvalidArgument | undefined => {
  const { followConfig, interceptors, servers, tls } = options
  if (followConfig !== undefined && typeof followConfig !== "boolean") {
    return invalid("followConfig", followConfig, "must be true or false")
  }
  if (followConfig === true && (tls !== undefined || (typeof servers === "string" && /\btls:\/\//i.test(servers)))) {
    return plainPorts()
  }
  const rule =
    "must be a list of interceptors, as in [{ onReply: ({ operation, path }) => console.log(operation, path) }]"
  if (interceptors !== undefined && !Array.isArray(interceptors)) {
    return invalid("interceptors", typeof interceptors, rule)
  }
  for (const [index, interceptor] of (interceptors ?? []).entries()) {
    const mistake = KnownOptions.check(knownInterceptor, interceptor ?? null, `interceptors[${index}]`)
    if (mistake !== undefined) return mistake
    for (const [name, hook] of Object.entries(interceptor)) {
      if (hook !== undefined && typeof hook !== "function") {
        return invalid(`interceptors[${index}].${name}`, typeof hook, "must be a function")
      }
    }
  }
  return undefined
}

const knownInterceptor = KnownOptions.make<Interceptor>(
  { spanAttributes: true, acl: true, onReply: true },
  "{ onReply: ({ operation, path }) => console.log(operation, path) }"
)

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
  chroot: view.chroot,
  withChroot: (path) =>
    Effect.map(Effect.fromResult(ZnodePath.normalizeChroot(path, "path")), (inner) =>
      makeService({ ...view, chroot: view.chroot + inner })
    ),
  trackVersions: Effect.sync(() => makeService({ ...view, versions: makeVersionMemory(view.session.info) }))
})
