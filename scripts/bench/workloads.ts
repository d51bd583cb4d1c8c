export const childNames: ReadonlyArray<string> = Array.from(
  { length: 10_000 },
  (_, index) => `task-${String(index).padStart(10, "0")}`
)
