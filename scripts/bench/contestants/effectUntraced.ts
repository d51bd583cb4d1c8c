/**
 * Ours by its Effect API, where tracing is switched off altogether.
 */
import * as Effect from "effect/Effect"
import type { Connect } from "../contestant.ts"
import { connectIn } from "./effect.ts"

export const connect: Connect = (servers) => connectIn(servers, Effect.withTracerEnabled(false))
