"""Addresses of what the books tell."""

from __future__ import annotations

from django.urls import path

from reports.views import (
    bookings,
    class_returns,
    differing,
    glance,
    institutions,
    loan_tables,
    loans,
    portfolio,
    quotations,
    runs,
    what_if,
)

app_name = "reports"

urlpatterns = [
    path("", portfolio.overview, name="overview"),
    path("glance/", glance.Glance.as_view(), name="glance"),
    path("portfolio/", portfolio.PortfolioPage.as_view(), name="portfolio"),
    path("portfolio/differing-loans/", differing.DifferingLoanList.as_view(), name="differing-loans"),
    path(
        "portfolio/differing-bookings/", differing.DifferingBookingList.as_view(), name="differing-bookings"
    ),
    path("loans/", loans.LoanList.as_view(), name="loans"),
    path("loans/<int:pk>/", loans.LoanPage.as_view(), name="loan"),
    path("loans/<int:pk>/schedule/", loan_tables.InstalmentList.as_view(), name="loan-schedule"),
    path("loans/<int:pk>/receipts/", loan_tables.ReceiptList.as_view(), name="loan-receipts"),
    path("loans/<int:pk>/nid/", loans.loan_nid, name="loan-nid"),
    path("loans/<int:pk>/statement.pdf", loans.loan_statement, name="loan-statement"),
    path("loans/<int:pk>/recalculation.xlsx", loans.loan_recalculation, name="loan-recalculation"),
    path("institutions/<int:pk>/", institutions.InstitutionPage.as_view(), name="institution"),
    path(
        "institutions/<int:pk>/statement.pdf",
        institutions.institution_statement,
        name="institution-statement",
    ),
    path("bookings/<int:pk>/", bookings.BookingPage.as_view(), name="booking"),
    path("returns/<int:pk>/<str:kind>/", class_returns.return_paper, name="return-paper"),
    path("what-if/", what_if.WhatIfPage.as_view(), name="what-if"),
    path("what-if/loans/", what_if.ChangingList.as_view(), name="what-if-loans"),
    path("events/<int:pk>/quotation.pdf", quotations.settlement_quotation, name="settlement-quotation"),
    path("runs/", runs.RunList.as_view(), name="runs"),
    path("runs/new/", runs.BulkStatements.as_view(), name="run-new"),
    path("runs/<int:pk>/", runs.RunPage.as_view(), name="run"),
    path("runs/<int:pk>/progress/", runs.run_progress, name="run-progress"),
    path("runs/<int:pk>/file/", runs.run_file, name="run-file"),
    path("runs/<int:pk>/parts/<int:position>/", runs.run_part, name="run-part"),
    path("verify/", runs.Verify.as_view(), name="verify"),
]
