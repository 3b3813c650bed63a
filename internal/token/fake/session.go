package fake

import "github.com/keyrite/keyrite/internal/token"

// session returns an open session and its token.
func (m *Module) session(handle uint) (*session, *tokenState, token.RV) {
	s := m.sessions[handle]
	if s == nil {
		return nil, nil, token.CKR_SESSION_HANDLE_INVALID
	}
	return s, m.slots[s.slot], token.CKR_OK
}

func (m *Module) openSession(c token.Call, r *token.Result) token.RV {
	t, rv := m.present(c.Slot)
	switch {
	case rv != token.CKR_OK:
		return rv
	case !t.initialised:
		return token.CKR_TOKEN_NOT_RECOGNIZED
	case t.loggedIn == asSO && !c.ReadWrite:
		return token.CKR_SESSION_READ_WRITE_SO_EXISTS
	}
	r.Session = m.handle()
	m.sessions[r.Session] = &session{slot: c.Slot, readWrite: c.ReadWrite}
	return token.CKR_OK
}

// handle returns a number that was not given before.
func (m *Module) handle() uint {
	m.nextHandle++
	return m.nextHandle
}

func (m *Module) closeSession(c token.Call, _ *token.Result) token.RV {
	s, t, rv := m.session(c.Session)
	if rv != token.CKR_OK {
		return rv
	}
	delete(m.sessions, c.Session)
	for _, other := range m.sessions {
		if other.slot == s.slot {
			return token.CKR_OK
		}
	}
	t.loggedIn, t.cachedSO = nobody, nil
	return token.CKR_OK
}

func (m *Module) closeAllSessions(c token.Call, _ *token.Result) token.RV {
	if m.slots[c.Slot] == nil {
		return token.CKR_SLOT_ID_INVALID
	}
	m.dropSessions(c.Slot)
	return token.CKR_OK
}

// dropSessions ends all sessions with a token, and with them the login.
func (m *Module) dropSessions(slot uint) {
	for h, s := range m.sessions {
		if s.slot == slot {
			delete(m.sessions, h)
		}
	}
	m.slots[slot].loggedIn, m.slots[slot].cachedSO = nobody, nil
}

func (m *Module) getSessionInfo(c token.Call, r *token.Result) token.RV {
	s, t, rv := m.session(c.Session)
	if rv != token.CKR_OK {
		return rv
	}
	r.State = state(s.readWrite, t.loggedIn)
	return token.CKR_OK
}

func state(readWrite bool, loggedIn int) uint {
	switch {
	case loggedIn == asSO:
		return token.CKS_RW_SO_FUNCTIONS
	case loggedIn == asUser && readWrite:
		return token.CKS_RW_USER_FUNCTIONS
	case loggedIn == asUser:
		return token.CKS_RO_USER_FUNCTIONS
	case readWrite:
		return token.CKS_RW_PUBLIC_SESSION
	}
	return token.CKS_RO_PUBLIC_SESSION
}

func (m *Module) login(c token.Call, _ *token.Result) token.RV {
	s, t, rv := m.session(c.Session)
	if rv != token.CKR_OK {
		return rv
	}
	who := asUser
	if c.User == token.SO {
		who = asSO
	}
	switch {
	case t.loggedIn == who:
		return token.CKR_USER_ALREADY_LOGGED_IN
	case t.loggedIn != nobody:
		return token.CKR_USER_ANOTHER_ALREADY_LOGGED_IN
	}
	if who == asSO {
		rv = m.loginSO(s.slot, t, c.PIN)
	} else {
		rv = m.loginUser(t, c.PIN)
	}
	if rv == token.CKR_OK {
		t.loggedIn = who
	}
	return rv
}

func (m *Module) loginSO(slot uint, t *tokenState, pin token.PIN) token.RV {
	for _, s := range m.sessions {
		if s.slot == slot && !s.readWrite {
			return token.CKR_SESSION_READ_ONLY_EXISTS
		}
	}
	if m.quirks.SOLoginUnchecked {
		pin.Reveal(func(b []byte) { t.cachedSO = append([]byte(nil), b...) })
		return token.CKR_OK
	}
	return m.try(pin, t.so, &t.soTries, soTries)
}

func (m *Module) loginUser(t *tokenState, pin token.PIN) token.RV {
	if t.user == nil {
		return token.CKR_USER_PIN_NOT_INITIALIZED
	}
	return m.try(pin, t.user, &t.userTries, userTries)
}

func (m *Module) logout(c token.Call, _ *token.Result) token.RV {
	_, t, rv := m.session(c.Session)
	switch {
	case rv != token.CKR_OK:
		return rv
	case t.loggedIn == nobody:
		return token.CKR_USER_NOT_LOGGED_IN
	}
	t.loggedIn, t.cachedSO = nobody, nil
	return token.CKR_OK
}
