/** The path of a znode in another subtree. `from` and `to` are the first znodes of the two. */
export const movePath = (from: string, to: string, path: string): string => {
  if (from === to) return path
  if (path === from) return to
  const below = from === "/" ? path : path.slice(from.length)
  return to === "/" ? below : to + below
}
