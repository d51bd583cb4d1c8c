import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Records from "@effect-zookeeper/protocol/Records"
import * as Result from "effect/Result"
import type { Fault, Match } from "../../Fault.ts"

interface Rule {
  readonly match: Match
  readonly fault: Fault
  left: number
}

const requestHeader = Jute.codec(Records.RequestHeader)

/** The faults that wait for their requests. */
export class FaultRules {
  private readonly rules: Array<Rule> = []

  add(match: Match, fault: Fault, times: number): void {
    if (times > 0) this.rules.push({ match, fault, left: times })
  }

  clear(): void {
    this.rules.length = 0
  }

  /** The fault for the request in `bytes[start..end)`, and the xid of the request. Each call uses up one of its times. */
  take(
    session: bigint,
    bytes: Uint8Array,
    start: number,
    end: number
  ): { readonly fault: Fault; readonly xid: number } | undefined {
    if (this.rules.length === 0) return undefined
    const reader = new JuteReader(bytes, start, end)
    const header = Jute.attempt(requestHeader, reader)
    if (Result.isFailure(header)) return undefined
    const row = Operations.byOpCode(header.success.type)
    if (row === undefined || row === Operations.ping) return undefined
    const request = Jute.attempt(row.request, reader)
    const path: unknown = Result.isSuccess(request) ? request.success?.path : undefined
    const rule = this.rules.find(
      ({ match }) =>
        (match.operation === undefined || match.operation === row.name) &&
        (match.path === undefined || match.path === path) &&
        (match.session === undefined || match.session === session)
    )
    if (rule === undefined) return undefined
    rule.left--
    if (rule.left === 0) this.rules.splice(this.rules.indexOf(rule), 1)
    return { fault: rule.fault, xid: header.success.xid }
  }
}

export const codeOf = (fault: Extract<Fault, { _tag: "Answer" }>): number => codes[fault.error]
