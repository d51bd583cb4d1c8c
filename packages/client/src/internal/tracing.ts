/**
 * The spans of requests, made only for fibers that are traced.
 *
 * A span costs a multiple of the request that it describes, even where tracing is disabled. So the fiber is asked first
 * whether it has a span already, or a tracer was provided.
 */
import * as Hex64 from "@effect-zookeeper/protocol/Hex64"
import type { SessionInfo } from "@effect-zookeeper/session/Session"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { type StartRequest, directRequest } from "./promise/directRequest.ts"

/** One request as an Effect, in a span `zookeeper.<operation>` if the fiber that runs it is traced. */
export const tracedRequest = <A, E>(
  info: SessionInfo,
  operation: string,
  path: string,
  start: StartRequest<A, E>
): Effect.Effect<A, E> =>
  directRequest(
    Effect.callback<A, E>((resume) => {
      const fiber = Fiber.getCurrent()
      if (fiber === undefined || !isTraced(fiber)) return cancelWith(start(resume, fiber))
      const traced = Effect.callback<A, E>((resume) => cancelWith(start(resume, fiber)))
      resume(withSpan(info, operation, path, traced))
      return undefined
    }),
    start
  )

const cancelWith = (giveUp: (() => void) | undefined): Effect.Effect<void> | undefined =>
  giveUp === undefined ? undefined : Effect.sync(giveUp)

/** The effect, in a span `zookeeper.<operation>` if this fiber is traced. `path` is "" for operations without one. */
export const traced = <A, E>(
  info: SessionInfo,
  operation: string,
  path: string,
  effect: Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.withFiber((fiber) => (isTraced(fiber) ? withSpan(info, operation, path, effect) : effect))

/** Whether an Effect that runs with these services is traced. */
export const isTracedIn = (context: Context.Context<never>): boolean =>
  Context.getOrUndefined(context, Tracer.ParentSpan) !== undefined ||
  Context.get(context, Tracer.Tracer) !== Tracer.nativeTracer

/** The annotations of the client's own log lines. */
export const annotations = (info: SessionInfo): Record<string, unknown> => ({
  "zookeeper.session": Hex64.format(info.id),
  "zookeeper.server": Option.match(info.server, {
    onNone: () => "none",
    onSome: ({ host, port }) => `${host}:${port}`
  })
})

const withSpan = <A, E>(
  info: SessionInfo,
  operation: string,
  path: string,
  effect: Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.useSpan(
    `zookeeper.${operation}`,
    { kind: "client", attributes: attributesOf(info, operation, path) },
    // Interceptors find the span by its fiber.
    (span) => Effect.withParentSpan(effect, span)
  )

const isTraced = ({ cache }: Fiber.Fiber<unknown, unknown>): boolean =>
  cache.tracerEnabled &&
  (cache.span !== undefined || (cache.tracer !== undefined && cache.tracer !== Tracer.nativeTracer))

const attributesOf = (info: SessionInfo, operation: string, path: string): Record<string, unknown> => ({
  "db.system.name": "zookeeper",
  "db.operation.name": operation,
  ...(path === "" ? {} : { "zookeeper.path": path }),
  ...Option.match(info.server, {
    onNone: () => ({}),
    onSome: ({ host, port }) => ({ "server.address": host, "server.port": port })
  })
})
