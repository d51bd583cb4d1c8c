export * as Session from "./Session.ts"
export * as SessionError from "./SessionError.ts"
export * as SessionMetrics from "./SessionMetrics.ts"
export * as SessionState from "./SessionState.ts"
