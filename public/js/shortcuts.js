const storageKey = 'single-key-shortcuts'
const openPane = 'details.dropdown[open]'

/**
 * `/` moves to the filter, `?` shows the shortcuts, arrow keys move between rows, Escape moves back. The single-character
 * shortcuts can be switched off, for users of speech input (WCAG 2.2, 2.1.4).
 */
export function watchShortcuts() {
  const dialog = document.getElementById('shortcuts')
  const box = dialog?.querySelector('[type=checkbox]')
  if (box) {
    box.checked = isOn()
    box.addEventListener('change', () => remember(box.checked))
  }
  document.addEventListener('click', (event) => {
    if (event.target.closest('[data-shortcuts]')) dialog?.showModal()
    for (const pane of document.querySelectorAll(openPane)) if (!pane.contains(event.target)) pane.open = false
  })
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') moveBetweenRows(event)
    else if (event.key === 'Escape' && !dialog?.open) closeOrMoveBack()
    else if (!isOn() || isTyping(event.target)) return
    else if (event.key === '?' && dialog) dialog.showModal()
    else if (event.key === '/' && filterOf()) {
      event.preventDefault()
      filterOf().focus()
      filterOf().select()
    }
  })
}

// localStorage throws when the browser blocks storage.
function isOn() {
  try {
    return localStorage.getItem(storageKey) !== 'off'
  } catch {
    return true
  }
}

function remember(isChecked) {
  try {
    localStorage.setItem(storageKey, isChecked ? 'on' : 'off')
  } catch {
    // The choice then applies to this page only.
  }
}

/** Moves the focus from row to row, and from the first row back to the filter. */
function moveBetweenRows(event) {
  const here = document.activeElement
  const at = rows().findIndex((row) => row.contains(here))
  const isFilter = here === filterOf() && here !== null
  if (at === -1 && !isFilter) return
  const down = event.key === 'ArrowDown'
  if (at === -1 && !down) return
  const next = focusTargetIn(rows()[at + (down ? 1 : -1)]) ?? (down ? undefined : filterOf())
  if (!next) return
  event.preventDefault()
  next.focus()
}

function closeOrMoveBack() {
  const here = document.activeElement
  const pane = here?.closest(openPane)
  if (pane) {
    pane.open = false
    pane.querySelector('summary').focus()
  } else if (rows().some((row) => row.contains(here))) filterOf()?.focus()
}

function isTyping(element) {
  return element instanceof Element && element.closest('input:not([type=checkbox]), textarea, select, dialog')
}

function filterOf() {
  return document.getElementById('q') ?? document.getElementById('find')
}

function rows() {
  return [...document.querySelectorAll('main tbody tr:has(a, button)')]
}

function focusTargetIn(row) {
  return row?.querySelector('a, button')
}
