package identity

import (
	"crypto/x509"
	"fmt"

	"concordat/chaincode/canonical"
	"concordat/chaincode/ledger"
	"concordat/chaincode/parallel"
	"concordat/chaincode/refusal"
	"concordat/chaincode/verdict"
)

// application is an item of Enrol on its way to a verdict.
type application struct {
	enrolment *Enrolment
	der       []byte
	refused   error
}

// enrol records each lender whose certificate its institution's confirmed
// issuer signed. A pseudonym that is enrolled with the same certificate is
// held; with another, ENROLMENT_EXISTS until the first is revoked.
func enrol(tx ledger.Tx, documents []byte) ([]byte, error) {
	objects, err := parseDocuments(documents)
	if err != nil {
		return nil, err
	}
	applications := make([]application, len(objects))
	for i, object := range objects {
		a := &applications[i]
		a.enrolment, a.der, a.refused = parseEnrolment(object)
	}
	issuers, err := readIssuers(tx, applications)
	if err != nil {
		return nil, err
	}
	held, err := readEnrolled(tx, applications)
	if err != nil {
		return nil, err
	}
	parallel.Each(len(applications), func(i int) {
		a := &applications[i]
		if a.refused == nil {
			a.refused = a.verify(issuers[a.enrolment.Institution])
		}
	})
	return record(tx, applications, held)
}

// knownIssuer is what is known of an institution's issuer: the certificate,
// or why there is none.
type knownIssuer struct {
	certificate *x509.Certificate
	refused     error
}

// verify checks the certificate against the institution's issuer.
func (a *application) verify(issuer knownIssuer) error {
	if issuer.refused != nil {
		return issuer.refused
	}
	return verifyLender(a.der, a.enrolment.Sub, issuer.certificate)
}

func readIssuers(tx ledger.Tx, applications []application) (map[string]knownIssuer, error) {
	issuers := map[string]knownIssuer{}
	for i := range applications {
		if applications[i].refused != nil {
			continue
		}
		institution := applications[i].enrolment.Institution
		if _, known := issuers[institution]; known {
			continue
		}
		issuer, err := readIssuer(tx, institution)
		if err != nil {
			return nil, err
		}
		issuers[institution] = issuer
	}
	return issuers, nil
}

func readIssuer(tx ledger.Tx, institution string) (known knownIssuer, err error) {
	issuer, err := read[Issuer](tx, issuerKey(institution))
	if err != nil {
		return known, err
	}
	switch {
	case issuer == nil:
		known.refused = refusal.New(refusal.IssuerNotFound, "%s", institution)
	case issuer.Status != confirmed:
		known.refused = refusal.New(refusal.IssuerNotConfirmed, "%s", institution)
	default:
		der, err := canonical.FromStandardBase64(issuer.Certificate)
		if err != nil {
			return known, fmt.Errorf("stored issuer: %w", err)
		}
		if known.certificate, err = x509.ParseCertificate(der); err != nil {
			return known, fmt.Errorf("stored issuer: %w", err)
		}
	}
	return known, nil
}

func readEnrolled(tx ledger.Tx, applications []application) (map[string]*Enrolment, error) {
	var keys []string
	seen := map[string]bool{}
	for i := range applications {
		if applications[i].refused != nil {
			continue
		}
		key := enrolmentKey(applications[i].enrolment.Sub)
		if !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	return readMany[Enrolment](tx, keys)
}

// record gives the verdicts in order and writes what is accepted.
func record(tx ledger.Tx, applications []application, enrolled map[string]*Enrolment) ([]byte, error) {
	var verdicts verdict.List
	for i := range applications {
		a := &applications[i]
		var held *Enrolment
		same := false
		err := a.refused
		if err == nil {
			held = enrolled[enrolmentKey(a.enrolment.Sub)]
			same, err = a.enrolment.follow(held)
		}
		code, refused := refusal.CodeOf(err)
		switch {
		case refused:
			verdicts.Refuse(i, code, held.revision())
		case err != nil:
			return nil, err
		case same:
			verdicts.Hold(i)
		default:
			verdicts.Accept()
			a.enrolment.Transaction = tx.ID()
			if _, err := write(tx, enrolmentKey(a.enrolment.Sub), a.enrolment); err != nil {
				return nil, err
			}
			// A second item for the pseudonym meets the first one.
			enrolled[enrolmentKey(a.enrolment.Sub)] = a.enrolment
		}
	}
	return verdicts.JSON(), nil
}

// follow sets the revision after what is held about the pseudonym; same says
// that it is held already.
func (e *Enrolment) follow(held *Enrolment) (same bool, err error) {
	if held == nil {
		e.Revision = 1
		return false, nil
	}
	switch {
	case held.Institution != e.Institution:
		return false, refusal.New(refusal.EnrolmentForeign, "%s", held.Institution)
	case held.Status == active && held.Thumbprint == e.Thumbprint:
		return true, nil
	case held.Status == active:
		return false, refusal.New(refusal.EnrolmentExists, "")
	case held.Thumbprint == e.Thumbprint:
		return false, refusal.New(refusal.KeyRevoked, "")
	}
	e.Revision = held.Revision + 1
	return false, nil
}

// revision is a record's revision, 0 where there is none.
func (e *Enrolment) revision() uint64 {
	if e == nil {
		return 0
	}
	return e.Revision
}
