import { pathFor, views } from "../model/Route.ts"
import type { Page } from "./page.ts"

/** Keys that work wherever no text is typed. Returns a function that ends them. */
export const listenToKeys = (page: Page, openDialog: (dialog: "help" | "goto") => void): (() => void) => {
  const onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]") !== null) return
    if (event.key === "k" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      openDialog("goto")
      return
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return
    const view = views[Number(event.key) - 1]
    if (view !== undefined) page.go({ view, path: pathFor(page.route()) })
    else if (event.key === "?") openDialog("help")
    else if (event.key === "g") openDialog("goto")
    else if (event.key === "/") document.querySelector<HTMLElement>("[data-key='/']")?.focus()
    else return
    event.preventDefault()
  }
  window.addEventListener("keydown", onKey)
  return () => window.removeEventListener("keydown", onKey)
}

/** The target inside of an editor's shadow root is the first of the composed path. */
const isTyping = (event: KeyboardEvent): boolean => {
  const target = event.composedPath()[0]
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}
