package service

import (
	"errors"
	"fmt"
	"os"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
)

// Serve runs chaincode as a service until it fails. It reads
//
//	CHAINCODE_ID              the package id that the peer knows it by
//	CHAINCODE_SERVER_ADDRESS  host:port to listen on
//	CHAINCODE_TLS_KEY, CHAINCODE_TLS_CERT, CHAINCODE_TLS_CLIENT_CA
//	                          files in PEM; without the first two the service
//	                          speaks plain text, for a peer on the same host
func Serve(chaincode shim.Chaincode) error {
	id, address := os.Getenv("CHAINCODE_ID"), os.Getenv("CHAINCODE_SERVER_ADDRESS")
	if id == "" || address == "" {
		return errors.New("set CHAINCODE_ID to the package id and CHAINCODE_SERVER_ADDRESS to host:port")
	}
	tls, err := tlsProperties()
	if err != nil {
		return err
	}
	server := &shim.ChaincodeServer{CCID: id, Address: address, CC: chaincode, TLSProps: tls}
	return server.Start()
}

func tlsProperties() (shim.TLSProperties, error) {
	keyFile, certFile := os.Getenv("CHAINCODE_TLS_KEY"), os.Getenv("CHAINCODE_TLS_CERT")
	if keyFile == "" && certFile == "" {
		return shim.TLSProperties{Disabled: true}, nil
	}
	var properties shim.TLSProperties
	for _, file := range []struct {
		path   string
		target *[]byte
	}{
		{keyFile, &properties.Key},
		{certFile, &properties.Cert},
		{os.Getenv("CHAINCODE_TLS_CLIENT_CA"), &properties.ClientCACerts},
	} {
		if file.path == "" {
			continue
		}
		data, err := os.ReadFile(file.path)
		if err != nil {
			return shim.TLSProperties{}, fmt.Errorf("read the service's TLS files: %w", err)
		}
		*file.target = data
	}
	return properties, nil
}

// Main builds and serves a chaincode, and ends the process with one line on
// stderr if that fails.
func Main(chaincode shim.Chaincode, err error) {
	if err == nil {
		err = Serve(chaincode)
	}
	fmt.Fprintln(os.Stderr, "chaincode stopped:", err)
	os.Exit(1)
}
