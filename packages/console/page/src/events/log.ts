/** The events of a subtree that were seen: the newest of them, for memory has an end. */
import { formatHex } from "@effect-zookeeper/console/Models"
import type { TreeEvent } from "@effect-zookeeper/console/SearchModels"
import { bytesOf } from "../model/data.ts"

const most = 20_000

export const makeLog = () => {
  let events: Array<TreeEvent> = []
  let dropped = 0
  let isBegun = false
  return {
    add: (more: ReadonlyArray<TreeEvent>): void => {
      for (const event of more) {
        // The watch was set before too, and was lost between the two.
        events.push(event.event === "ready" && isBegun ? { ...event, event: "gap" } : event)
        if (event.event === "ready") isBegun = true
      }
      if (events.length > most * 1.1) {
        dropped += events.length - most
        events = events.slice(-most)
      }
    },
    clear: (): void => {
      events = []
      dropped = 0
    },
    /** Another subtree: its watch is not set yet. */
    begin: (): void => {
      isBegun = false
    },
    dropped: (): number => dropped,
    /** How many there were since the log was cleared. */
    seen: (): number => dropped + events.length,
    /** Those of the first so many whose path has the text. Gaps stay, for they are about all paths. */
    matching: (text: string, first: number): ReadonlyArray<TreeEvent> => {
      const shown = events.slice(0, Math.max(0, first - dropped))
      return text === "" ? shown : shown.filter(({ event, path }) => event === "gap" || path.includes(text))
    },
    /** A line of JSON for each. */
    lines: (shown: ReadonlyArray<TreeEvent>): Uint8Array<ArrayBuffer> =>
      Uint8Array.from(
        bytesOf(
          shown
            .map(({ event, path, time, zxid }) =>
              JSON.stringify({
                time: new Date(time).toISOString(),
                event,
                path,
                ...(zxid === undefined ? {} : { zxid: formatHex(zxid) })
              })
            )
            .join("\n")
            .concat("\n")
        )
      )
  }
}
