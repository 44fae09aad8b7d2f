import type { Request, RequestHandler, Response } from 'express'
import { NotFoundError } from '../../errors.ts'
import { createUnsubscribeTokens, type Unsubscription } from '../../notices/unsubscribe-token.ts'
import { recordAudit } from '../../store/audit.ts'
import { noticeChoicesOf, stopNotices } from '../../store/notice-settings.ts'
import type { PageDeps } from '../deps.ts'
import { pathParameter } from '../request-state.ts'

type Deps = Pick<PageDeps, 'database' | 'config' | 'organisations' | 'logger'>

/**
 * `GET /unsubscribe/:token`: a page with a button, or that there is nothing left to stop. It changes nothing, because
 * programs that check mails open links.
 * @throws NotFoundError for a token that the portal did not make
 */
export function showUnsubscribe(deps: Deps): RequestHandler {
  const read = readerOf(deps)
  return async (req, res) => {
    const { userId, organisation } = read(req)
    const chosen = await noticeChoicesOf(deps.database.kysely, userId)
    render(deps, res, organisation, !chosen.has(organisation))
  }
}

/** Reads the token in the path. */
function readerOf({ config }: Deps): (req: Request) => Unsubscription {
  const tokens = createUnsubscribeTokens(config.sessionSecrets)
  return (req) => {
    const unsubscription = tokens.read(pathParameter(req, 'token'))
    if (!unsubscription) throw new NotFoundError('unsubscribe token')
    return unsubscription
  }
}

function render({ organisations }: Deps, res: Response, organisation: string, done: boolean): void {
  const { t } = res.locals.language
  const name = organisations.current().get(organisation)?.name ?? t('unsubscribe.other')
  res.render('account/unsubscribe', { title: t(`unsubscribe.${done ? 'doneTitle' : 'title'}`, { name }), name, done })
}

/**
 * `POST /unsubscribe/:token`: turns off everything that the user is told about the organisation, without a session. The
 * button of the page sends `?page` and is redirected, so that the back button works; mail clients must not be (RFC 8058).
 * @throws NotFoundError for a token that the portal did not make
 */
export function unsubscribe(deps: Deps): RequestHandler {
  const read = readerOf(deps)
  return async (req, res) => {
    const { userId, organisation } = read(req)
    const { kysely } = deps.database
    if (await stopNotices(kysely, organisation, userId))
      await recordAudit(kysely, deps.logger, { event: 'notices stopped', userId, organisation })
    if (req.query['page'] !== undefined) return res.redirect(303, req.path)
    return render(deps, res, organisation, true)
  }
}
