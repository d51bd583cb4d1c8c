/** The words for a member in the tables of `status` and `top`. */
import type { MemberStatus } from "../../MemberStatus.ts"
import { shown } from "../output/text.ts"

/** Whether it gives answers, be it that it serves no requests now. */
export const isAnswering = ({ state }: Pick<MemberStatus, "state">): boolean => state === "serving" || state === "idle"

/** The cells that both tables have. */
export const memberCells = (member: MemberStatus) => {
  const { lag, mode, release, state, zxid } = member
  return {
    server: shown(member.server),
    mode: state === "serving" ? (mode ?? "-") : state === "unreachable" ? "down" : state,
    version: release ?? "-",
    lag: zxid === undefined ? "-" : lag === undefined ? "old epoch" : String(lag),
    connections: numberText(member.connections),
    watches: numberText(member.watchCount),
    znodes: numberText(member.nodeCount),
    outstanding: numberText(member.outstanding)
  }
}

/** A number that not every server tells. */
export const numberText = (value: number | undefined): string => (value === undefined ? "-" : String(value))
