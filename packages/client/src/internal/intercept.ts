/** A session whose requests pass interceptors. A client without interceptors uses its session as it is. */
import type * as Acl from "@effect-zookeeper/protocol/Acl"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type { RequestPath, Session } from "@effect-zookeeper/session/Session"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import type { Call, Interceptor } from "../Interceptor.ts"

/** The session as the client sees it, with all interceptors in their order. */
export const intercept = (
  session: Session["Service"],
  interceptors: ReadonlyArray<Interceptor>
): Session["Service"] => {
  const stamp = makeStamp(interceptors)
  const annotate = (call: Call, span: Tracer.AnySpan | undefined): void => {
    // Only a span of this client describes the request.
    if (span?._tag !== "Span" || !span.name.startsWith("zookeeper.")) return
    for (const { spanAttributes } of interceptors) {
      if (spanAttributes === undefined) continue
      for (const [key, value] of Object.entries(spanAttributes(call))) span.attribute(key, value)
    }
  }
  const reply = (call: Call, exit: Exit.Exit<unknown, { readonly _tag: string; readonly message: string }>): void => {
    const error = Exit.isSuccess(exit) ? undefined : Option.getOrUndefined(Cause.findErrorOption(exit.cause))
    // An interrupted caller: the reply is still to come, or nothing was sent.
    if (Exit.isFailure(exit) && error === undefined) return
    const ended = { ...call, session: session.info.id, error }
    for (const { onReply } of interceptors) onReply?.(ended)
  }
  const replyLogged: (...args: Parameters<typeof reply>) => Effect.Effect<void> = (call, exit) =>
    Effect.catchCause(
      Effect.sync(() => reply(call, exit)),
      (cause) => Effect.logError("an interceptor has thrown", cause)
    )
  const observed = <A, E extends { readonly _tag: string; readonly message: string }, R>(
    operation: Operation.Any,
    path: RequestPath,
    effect: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E, R> =>
    Effect.withFiber((fiber) => {
      const call = toCall(operation, { path: path.server })
      annotate(call, fiber.cache.span)
      return Effect.onExit(effect, (exit) => replyLogged(call, exit))
    })
  return {
    ...session,
    request: (operation, request, path) =>
      Effect.withFiber((fiber) => {
        const stamped = stamp(operation, request)
        const call = toCall(operation, stamped)
        annotate(call, fiber.cache.span)
        return Effect.onExit(session.request(operation, stamped, path), (exit) => replyLogged(call, exit))
      }),
    requestUnsafe: (operation, request, path, transform, resume, caller?: Fiber.Fiber<unknown, unknown>) => {
      const stamped = stamp(operation, request)
      const call = toCall(operation, stamped)
      annotate(call, caller?.cache.span)
      return session.requestUnsafe(
        operation,
        stamped,
        path,
        transform,
        (exit) => {
          // The caller first: an interceptor that throws must not keep its reply from it. The session logs the error.
          resume(exit)
          reply(call, exit)
        },
        caller
      )
    },
    watchData: (path) => observed(Operations.getData, path, session.watchData(path)),
    watchChildren: (path) => observed(Operations.getChildren2, path, session.watchChildren(path)),
    watchExists: (path) => observed(Operations.exists, path, session.watchExists(path)),
    watchPersistently: (path, options) => observed(Operations.addWatch, path, session.watchPersistently(path, options))
  }
}

// ---- internal

const toCall = ({ kind, name }: Operation.Any, request: unknown): Call => ({
  operation: name,
  kind,
  path: pathOf(request),
  ops: Array.isArray(request) ? request.map(toOp) : []
})

const toOp = (op: unknown): Call["ops"][number] =>
  isObject(op) && "operation" in op && "request" in op
    ? { operation: String(op.operation), path: pathOf(op.request) }
    : { operation: "", path: "" }

const pathOf = (request: unknown): string =>
  isObject(request) && "path" in request && typeof request.path === "string" ? request.path : ""

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

/** Gives creates their ACL, also those of a transaction. */
const makeStamp = (interceptors: ReadonlyArray<Interceptor>) => {
  const all = interceptors.flatMap(({ acl }) => (acl === undefined ? [] : [acl]))
  const withAcl = <R>(operation: string, request: R): R => {
    if (!creates.has(operation) || !isObject(request) || !("acl" in request)) return request
    const path = pathOf(request)
    // A create's record has an ACL of this type.
    let acl = request.acl as ReadonlyArray<Acl.Acl>
    for (const stamp of all) acl = stamp({ path, acl })
    return { ...request, acl }
  }
  return <R>({ name }: Operation.Any, request: R): R => {
    if (all.length === 0) return request
    if (!Array.isArray(request)) return withAcl(name, request)
    const ops = request as ReadonlyArray<{ readonly operation: string; readonly request: unknown }>
    // The same operations, with other ACLs.
    return ops.map(({ operation, request }) => ({ operation, request: withAcl(operation, request) })) as R
  }
}

const creates: ReadonlySet<string> = new Set(["create", "create2", "createContainer", "createTTL"])
