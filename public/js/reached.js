/** Tells the page that the portal has just answered, or could not be reached: `portal:reached`, `portal:unreachable`. */
export const tellReached = (isReached) => {
  document.dispatchEvent(new Event(isReached ? 'portal:reached' : 'portal:unreachable'))
}
