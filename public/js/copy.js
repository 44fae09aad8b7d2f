/** Shows the copy buttons, which are hidden in the HTML because they need JavaScript. */
export function showCopyButtons(root) {
  for (const button of root.querySelectorAll('button[data-copy]')) {
    button.hidden = false
    const labelElement = button.querySelector('.live-text')
    const label = labelElement.textContent
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(button.dataset.copy)
      } catch {
        // The browser refuses without https or permission: select the text, so that the user can copy it with the keyboard.
        getSelection().selectAllChildren(button.previousElementSibling)
        return
      }
      labelElement.textContent = button.dataset.copied
      setTimeout(() => {
        labelElement.textContent = label
      }, 2000)
    })
  }
}
