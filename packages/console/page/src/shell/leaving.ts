/** Leaving the page: a reload keeps what was typed, and a closed tab does not. */
import { allOutliveReload, unsaved } from "../znode/drafts.ts"

let isReloading = false

/** Loads the page again. The browser asks only if that would lose a text. */
export const reload = (): void => {
  isReloading = allOutliveReload()
  window.location.reload()
}

const warn = (event: BeforeUnloadEvent): void => {
  if (!isReloading && unsaved().length > 0) event.preventDefault()
}

/** Has the browser ask before a text is lost, whichever view is shown. Returns a function that ends it. */
export const warnOfDrafts = (): (() => void) => {
  window.addEventListener("beforeunload", warn)
  return () => window.removeEventListener("beforeunload", warn)
}
