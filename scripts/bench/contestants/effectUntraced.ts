/**
 * Our client by its Effect API, with tracing switched off.
 */
import * as Effect from "effect/Effect"
import type { Connect } from "../contestant.ts"
import { connectIn } from "./effect.ts"

export const connect: Connect = (servers) => connectIn(servers, Effect.withTracerEnabled(false))
