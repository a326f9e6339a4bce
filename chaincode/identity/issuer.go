package identity

import (
	"concordat/chaincode/authority"
	"concordat/chaincode/canonical"
	"concordat/chaincode/ledger"
	"concordat/chaincode/refusal"
)

func proposeIssuer(tx ledger.Tx, caller authority.Caller, document []byte) ([]byte, error) {
	object, err := canonical.ParseObject(document)
	if err != nil {
		return nil, refusal.Because(refusal.IssuerFormat, err)
	}
	institution, der, err := issuerMembers(object)
	if err != nil {
		return nil, refusal.Because(refusal.IssuerFormat, err)
	}
	if err := authority.CheckSame(caller, institution); err != nil {
		return nil, err
	}
	if err := checkIssuer(der); err != nil {
		return nil, err
	}
	held, err := read[Issuer](tx, issuerKey(institution))
	if err != nil {
		return nil, err
	}
	if held != nil && held.Status == confirmed {
		return nil, refusal.New(refusal.IssuerExists, "%s has %s", institution, held.Thumbprint)
	}
	certificate, _ := object.Text("certificate")
	return write(tx, issuerKey(institution), Issuer{
		Version:     1,
		Institution: institution,
		Certificate: certificate,
		Thumbprint:  thumbprint(der),
		Status:      proposed,
		Transaction: tx.ID(),
	})
}

func issuerMembers(object canonical.Object) (institution string, der []byte, err error) {
	if err := object.Only([]string{"v", "institution", "certificate"}); err != nil {
		return "", nil, err
	}
	if err := object.Version(1); err != nil {
		return "", nil, err
	}
	if institution, err = object.Text("institution"); err != nil {
		return "", nil, err
	}
	certificate, err := object.Text("certificate")
	if err != nil {
		return "", nil, err
	}
	der, err = canonical.FromStandardBase64(certificate)
	return institution, der, err
}

func confirmIssuer(tx ledger.Tx, caller authority.Caller, institution, x5t string) ([]byte, error) {
	issuer, err := findIssuer(tx, institution)
	if err != nil {
		return nil, err
	}
	if issuer.Status == confirmed {
		return nil, refusal.New(refusal.IssuerExists, "%s has %s", institution, issuer.Thumbprint)
	}
	if caller.MSP == institution {
		return nil, refusal.New(refusal.NotAuthorised, "%s may not confirm what it proposed", caller.MSP)
	}
	if issuer.Thumbprint != x5t {
		return nil, refusal.New(refusal.StepMismatch, "proposed is %s", issuer.Thumbprint)
	}
	issuer.Status = confirmed
	issuer.Transaction = tx.ID()
	return write(tx, issuerKey(institution), issuer)
}

// findIssuer returns the issuer record of an institution, confirmed or not.
func findIssuer(tx ledger.Tx, institution string) (*Issuer, error) {
	if !authority.IsInstitution(institution) {
		return nil, refusal.New(refusal.IssuerNotFound, "not the MSP of an institution")
	}
	issuer, err := read[Issuer](tx, issuerKey(institution))
	if err != nil {
		return nil, err
	}
	if issuer == nil {
		return nil, refusal.New(refusal.IssuerNotFound, "%s", institution)
	}
	return issuer, nil
}

func getIssuer(tx ledger.Tx, institution string) ([]byte, error) {
	issuer, err := findIssuer(tx, institution)
	if err != nil {
		return nil, err
	}
	return canonical.Marshal(issuer)
}
