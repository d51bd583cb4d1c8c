/**
 * Our client by its Effect API, with all requests traced: a span for each, of Effect's own tracer.
 */
import * as Effect from "effect/Effect"
import type { Connect } from "../contestant.ts"
import { connectIn } from "./effect.ts"

export const connect: Connect = (servers) => connectIn(servers, Effect.withSpan("benchmark"))
