/** Answers of a scripted session: replies that are lost, and what a look finds afterwards. */
import { ConnectionLoss, RequestTimeout } from "@effect-zookeeper/session/SessionError"
import * as Effect from "effect/Effect"
import { type Asked, type Script, stat } from "./scriptedClient.ts"

export const lost = (operation: string) =>
  Effect.fail(new ConnectionLoss({ operation, path: "/a", maybeApplied: true }))
export const unsent = (operation: string) =>
  Effect.fail(new RequestTimeout({ operation, path: "/a", maybeApplied: false }))
export const subject = { path: "/a", operation: "test" }
export const bytes = (text: string) => new TextEncoder().encode(text)

/** Answers in turn. */
export const inTurn =
  (...answers: ReadonlyArray<(asked: Asked) => ReturnType<Script>>): Script =>
  (asked, index) =>
    answers[index]?.(asked) ?? Effect.die(`no answer ${index} for ${asked.operation}`)

export const synced = () => Effect.succeed({ path: "/" })
export const there =
  (different: Partial<typeof stat> = {}) =>
  () =>
    Effect.succeed({ stat: { ...stat, ...different } })

/** Loses the reply. */
export const loses = (operation: string) => () => lost(operation)

/** Times out before the request is sent. */
export const neverSends = (operation: string) => () => unsent(operation)

export const fails =
  <E>(error: E) =>
  () =>
    Effect.fail(error)

export const gives =
  <A>(answer: A) =>
  () =>
    Effect.succeed(answer)
