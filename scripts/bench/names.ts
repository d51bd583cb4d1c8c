/**
 * The names that `getChildren` gives, on the stub as on the real server.
 */
/** As sequential znodes are named. */
export const childNames: ReadonlyArray<string> = Array.from(
  { length: 10_000 },
  (_, index) => `task-${String(index).padStart(10, "0")}`
)
