const doneMs = 2000

/** Copies the value of the button that is pressed. One listener for all, so that it also works in parts swapped in later. */
export function watchCopyButtons() {
  document.addEventListener('click', async ({ target }) => {
    const button = target.closest('button[data-copy]')
    if (!button || 'done' in button.dataset) return
    try {
      await navigator.clipboard.writeText(button.dataset.copy)
    } catch {
      if (!copySelected(button.dataset.copy, button)) return
    }
    const text = button.querySelector('.live-text')
    const label = text.textContent
    text.textContent = button.dataset.copied
    button.dataset.done = ''
    setTimeout(() => {
      text.textContent = label
      delete button.dataset.done
    }, doneMs)
  })
}

/** Copies in the older way, which needs neither https nor permission. Returns whether the browser has copied. */
function copySelected(value, button) {
  const field = document.createElement('textarea')
  field.value = value
  // Beside the button: outside an open dialog nothing can be selected.
  button.after(field)
  field.select()
  const isCopied = document.execCommand('copy')
  field.remove()
  button.focus()
  return isCopied
}
