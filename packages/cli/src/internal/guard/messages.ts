/** What `zk` and the keeper say to each other, and signals for process groups. */

/** When the hold ends, in milliseconds of the monotonic clock, which all processes share, and of the wall clock. */
export interface Ends {
  readonly monotonic: number
  readonly wall: number
}

/** To the keeper. */
export type Order =
  | {
      readonly _tag: "Start"
      readonly command: ReadonlyArray<string>
      readonly env: Readonly<Record<string, string>>
      readonly ends: Ends
      /** The milliseconds from SIGTERM to SIGKILL. */
      readonly grace: number
    }
  | { readonly _tag: "Hold"; readonly ends: Ends }
  | { readonly _tag: "End" }

/** From the keeper. */
export type Report =
  /** It has begun, and takes orders. */
  | { readonly _tag: "Ready" }
  | { readonly _tag: "Started"; readonly group: number }
  | { readonly _tag: "Failed"; readonly message: string; readonly code: number }
  | {
      readonly _tag: "Ended"
      readonly code: number | null
      readonly signal: NodeJS.Signals | null
      /** Whether the keeper has ended it before, because the hold was not certain any more. */
      readonly isOverdue: boolean
    }

/** Sends a signal to all processes of a group; a group that has ended gets none. */
export const signalGroup = (group: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(-group, signal)
  } catch {
    // It has ended.
  }
}

/** Whether a process of the group is there. */
export const isAlive = (group: number): boolean => {
  try {
    process.kill(-group, 0)
    return true
  } catch (error) {
    // EPERM: it is there, and belongs to another user.
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}
